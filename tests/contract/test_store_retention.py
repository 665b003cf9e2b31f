"""How long each row of a conversation is kept, and what readers make of an expired row."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from local.stack.intrinsics import TemplateError
from local.stack.memory_table import MemoryTable
from local.stack.template import Template
from partyline.domain.decide import Decision
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import ConversationErased, Event
from partyline.domain.model.insight import Insight
from partyline.domain.model.routes import StoredRoute
from partyline.domain.model.statuses import ConversationStatus, LegStatus
from partyline.domain.model.stored import Failure
from partyline.domain.model.transcript import TranscriptMessage, TranscriptPart
from partyline.services.requests import MAX_DEADLINE_SECS
from partyline.settings import QuerySettings
from partyline.store import ConversationStore
from partyline.store.conversations import DEDUPE_SECS, DedupeRecord
from partyline.store.directory import Change, Directory
from partyline.store.erasures import Erasures
from partyline.store.hooks import HookStore
from partyline.store.keys import webhook
from partyline.store.people import Gained, PersonIndex
from partyline.store.retention import LONGEST_LIFE, Retention
from partyline.store.scheduled import ScheduledConversations
from tests.contract.test_hook_store import CHANGED, delivery, hook
from tests.contract.test_schedules import asked
from tests.contract.test_store import NOW, begun
from tests.contract.test_store_erasures import an_erasure
from tests.template.test_stack import PARAMETERS

DAYS = Retention.of_days(conversations=90, transcripts=30, events=60)


@pytest.fixture
def memory(template: Template) -> Any:
    return MemoryTable(template.table.create)


def rows(memory: Any, template: Template) -> dict[str, dict[str, Any]]:
    """The rows by the beginnings of their keys."""
    found = memory.scan(TableName=template.table.name)["Items"]
    return {
        (row["sk"] if row["pk"]["S"].startswith("CONVERSATION#") else row["pk"])["S"].split("#")[
            0
        ]: row
        for row in found
    }


def days(row: dict[str, Any], at: datetime = NOW) -> float:
    """How many days after a time a row expires."""
    return float((int(row["expires_at"]["N"]) - at.timestamp()) / 86400)


def whole_step(store: ConversationStore) -> Conversation:
    """A step that writes a row of each kind."""
    decision = begun()
    insight = Insight(insight_id="i-1", result={"mood": "good"})
    said = TranscriptMessage(role="user", text="Hello.")
    part = TranscriptPart(run=0, generation=1, first=0, messages=(said,))
    decision = Decision(
        decision.conversation, events=decision.events, insights=[insight], messages=[part]
    )
    return store.commit(None, decision, DedupeRecord(webhook("c-1", "w-1")), record='{"at":1}')


def over(conversation: Conversation) -> Conversation:
    """The conversation after its end."""
    ended = conversation.model_copy(update={"status": ConversationStatus.ENDED}, deep=True)
    for _, leg in ended.legs():
        leg.status = LegStatus.ENDED
    return ended


def test_each_row_expires_by_its_own_parameter(memory: Any, template: Template) -> None:
    whole_step(ConversationStore(memory, template.table.name, DAYS))
    kept = rows(memory, template)
    life = LONGEST_LIFE.days
    assert days(kept["EVENT"]) == days(kept["STEP"]) == 60 + life
    assert days(kept["INSIGHT"]) == days(kept["TRANSCRIPT"]) == 30 + life
    assert days(kept["CALL"]) == 90 + life
    assert days(kept["DEDUPE"]) == DEDUPE_SECS / 86400


def test_the_row_of_a_conversation_expires_only_after_its_end(
    memory: Any, template: Template
) -> None:
    store = ConversationStore(memory, template.table.name, DAYS)
    first = whole_step(store)
    assert "expires_at" not in rows(memory, template)["STATE"]
    store.commit(first, Decision(over(first)))
    assert days(rows(memory, template)["STATE"]) == 90


def test_zero_days_keep_everything_for_ever(memory: Any, template: Template) -> None:
    store = ConversationStore(memory, template.table.name, Retention.of_days(0, 0, 0))
    first = whole_step(store)
    store.commit(first, Decision(over(first)))
    expiring = {name for name, row in rows(memory, template).items() if "expires_at" in row}
    assert expiring == {"DEDUPE"}


def test_an_expired_conversation_is_unknown_before_the_table_deletes_the_row(
    memory: Any, template: Template
) -> None:
    now = [NOW]
    store = ConversationStore(memory, template.table.name, DAYS, lambda: now[0])
    first = whole_step(store)
    store.commit(first, Decision(over(first)))
    now[0] = NOW + timedelta(days=90) - timedelta(seconds=1)
    assert store.load("c-1")
    now[0] = NOW + timedelta(days=90)
    assert store.load("c-1") is None
    assert store.load_with_insights("c-1") is None
    assert store.list_newest(None, 10).items == []
    assert store.look_up_call("c-1", None, None, None).conversation is None


def test_an_expired_event_is_not_shown(memory: Any, template: Template) -> None:
    now = [NOW]
    store = ConversationStore(memory, template.table.name, DAYS, lambda: now[0])
    whole_step(store)
    assert store.event("c-1", 1)
    now[0] = NOW + timedelta(days=60) + LONGEST_LIFE
    assert store.event("c-1", 1) is None


def test_an_expired_transcript_and_expired_insights_are_not_shown(
    memory: Any, template: Template
) -> None:
    now = [NOW]
    store = ConversationStore(memory, template.table.name, DAYS, lambda: now[0])
    whole_step(store)
    found = store.load_with_insights("c-1")
    assert found
    assert [insight.insight_id for insight in found[1]] == ["i-1"]
    assert [placed.message.text for placed in store.transcript("c-1")] == ["Hello."]
    now[0] = NOW + timedelta(days=30) + LONGEST_LIFE
    found = store.load_with_insights("c-1")
    assert found
    assert found[1] == []
    assert store.transcript("c-1") == []


def test_the_event_of_a_changed_route_expires_and_the_route_does_not(
    memory: Any, template: Template
) -> None:
    directory = Directory(memory, template.table.name, DAYS)
    change = Change(key_id="ops", request_id="r-1", at=NOW)
    directory.put_route("+13125550100", StoredRoute(), change)
    route, event = sorted(
        memory.scan(TableName=template.table.name)["Items"],
        key=lambda row: row["sk"]["S"] != "ROUTE",
    )
    assert "expires_at" not in route
    assert days(event) == 60


def test_the_event_of_a_changed_hook_expires_and_the_hook_does_not(
    memory: Any, template: Template
) -> None:
    HookStore(memory, template.table.name, DAYS).save(hook(), CHANGED, NOW, "r-1")
    stored = {
        row["sk"]["S"].partition("#")[0]: row
        for row in memory.scan(TableName=template.table.name)["Items"]
    }
    assert stored.keys() == {"HOOK", "EVENT"}
    assert "expires_at" not in stored["HOOK"]
    assert days(stored["EVENT"]) == 60


def test_the_event_of_a_booking_that_fails_expires(memory: Any, template: Template) -> None:
    schedules = ScheduledConversations(memory, template.table.name, DAYS)
    schedules.add(asked(), None, most=1)
    schedules.fail(asked(), Failure(code="key_revoked", message="No key."), NOW, "schedule-c-1")
    assert days(rows(memory, template)["EVENT"]) == 60


def test_the_row_of_a_delivery_expires_a_month_after_its_attempts_began(
    memory: Any, template: Template
) -> None:
    HookStore(memory, template.table.name, DAYS).add_delivery("crm", delivery(1))
    [row] = memory.scan(TableName=template.table.name)["Items"]
    assert days(row) == 30


def test_a_receipt_expires_after_three_years_its_event_with_the_events_and_open_work_never(
    memory: Any, template: Template
) -> None:
    erasures = Erasures(memory, template.table.name, DAYS)
    erasure = erasures.add(an_erasure())
    assert "expires_at" not in rows(memory, template)["ERASURE"]
    data = ConversationErased(erasure_id=erasure.id)
    event = Event(seq=1, type=data.type, occurred_at=NOW, cause="", data=data.model_dump())
    done = erasure.model_copy(update={"status": "done"})
    erasures.save(done, NOW, ("c-1", "c-1", event))
    found = memory.scan(TableName=template.table.name)["Items"]
    assert sorted(map(days, found)) == [60, 3 * 366]


def test_a_row_that_is_written_once_outlives_the_longest_conversation() -> None:
    longest_talk = timedelta(minutes=240)  # the most that the setting `max_minutes` takes
    assert timedelta(seconds=MAX_DEADLINE_SECS) + longest_talk < LONGEST_LIFE


@pytest.mark.parametrize(
    ("spans", "longest"),
    [((400, 30, 60), 400), ((30, 400, 60), 400), ((30, 60, 400), 400), ((30, 60, 0), None)],
)
def test_the_index_of_people_is_kept_as_long_as_the_rows_that_are_kept_longest(
    memory: Any, template: Template, spans: tuple[int, int, int], longest: int | None
) -> None:
    index = PersonIndex(memory, template.table.name, Retention.of_days(*spans))
    index.add("a" * 64, Gained("2026-11-22T09:00:00.000000Z#c-1", ("+13125550112",), {}), NOW)
    [row] = memory.scan(TableName=template.table.name)["Items"]
    kept = days(row) - LONGEST_LIFE.days if "expires_at" in row else None
    assert kept == longest


@pytest.mark.parametrize("days", ["-1", "3651", "1.5", "many"])
@pytest.mark.parametrize("name", ["Conversations", "Transcripts", "Events"])
def test_days_out_of_range_are_refused_by_name(name: str, days: str) -> None:
    variable = f"KEEP_{name.upper()}_DAYS"
    with pytest.raises(ValueError, match=variable.lower()):
        QuerySettings.from_environment({"TABLE_NAME": "table", variable: days})
    with pytest.raises(TemplateError, match=f"Keep{name}Days"):
        Template({**PARAMETERS, f"Keep{name}Days": days})

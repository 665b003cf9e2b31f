"""Pointers of calls, on every engine: a pointer leads to a conversation and locks its call."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.stack.template import Template
from partyline.domain.decide import Decision, decide
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import InviteParticipant, NewParticipant
from partyline.domain.model.statuses import ConversationStatus, LegStatus
from partyline.store import ConversationStore, DedupeRecord, QuotaCharge, keys
from partyline.store.errors import (
    AlreadyProcessedError,
    CallInUseError,
    QuotaExceededError,
    VersionConflictError,
)
from tests.contract.test_store import ENDED, NOW, begun, moved, spoken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GUEST = "v3:guest"


def invited(before: Conversation, call: str = GUEST, name: str = "guest-1") -> Decision:
    """The step that brings a live call into a conversation."""
    guest = NewParticipant(id=name, call_control_id=call)
    return decide(before, InviteParticipant(id="request-3", participant=guest), NOW)


def with_leg(conversation: Conversation, **changes: Any) -> Decision:
    """A step, like that of a webhook, that changes the newest leg of a conversation."""
    after = conversation.model_copy(deep=True)
    leg = after.participants[-1].legs[-1]
    after.participants[-1].legs[-1] = leg.model_copy(update=changes)
    return Decision(after)


def holders(store: ConversationStore, call: str = GUEST, leg: str | None = None) -> list[str]:
    return list(store.look_up_call(None, call, leg, None).pointed_ids)


def test_pointers_lead_from_both_ids_of_a_call_to_its_conversation(
    store: ConversationStore,
) -> None:
    first = store.commit(None, begun())
    second = store.commit(first, with_leg(first, call_leg_id="leg-1"))
    assert holders(store, "v3:c-1", "leg-1") == ["c-1", "c-1"]
    assert holders(store, "v3:c-1", "leg-2") == ["c-1"]
    lookup = store.look_up_call("c-1", "v3:c-1", None, None)
    assert lookup.conversation == second
    assert store.look_up_call("c-2", None, None, None).conversation is None


def test_a_pointer_leads_from_a_run_of_the_assistant_to_its_conversation(
    store: ConversationStore,
) -> None:
    first = store.commit(None, begun())
    store.commit(first, Decision(first.model_copy(update={"telnyx_conversation_id": "run-1"})))
    second = store.commit(None, begun("c-2"))
    lookup = store.look_up_call(None, "v3:c-2", None, None, "run-1")
    assert lookup.pointed_ids == ["c-1", second.id]


def test_a_live_call_is_in_one_conversation(store: ConversationStore) -> None:
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    held = store.commit(first, invited(first))
    with pytest.raises(CallInUseError):
        store.commit(second, invited(second))
    with pytest.raises(CallInUseError):
        store.commit(None, begun("guest"))
    assert store.load("c-2") == second
    assert store.load("guest") is None
    assert holders(store) == [held.id]


def test_a_refused_call_leaves_no_dedupe_record(store: ConversationStore) -> None:
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    store.commit(first, invited(first))
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    with pytest.raises(CallInUseError):
        store.commit(second, invited(second), dedupe)
    store.check_not_processed(dedupe)


def test_a_duplicate_or_stale_step_is_not_reported_as_a_call_in_use(
    store: ConversationStore,
) -> None:
    first, dedupe = store.commit(None, begun("c-1")), DedupeRecord(keys.request("key"), "hash-1")
    second = store.commit(None, begun("c-2"), dedupe)
    store.commit(first, invited(first))
    store.commit(second, spoken(second))
    with pytest.raises(AlreadyProcessedError):
        store.commit(second, invited(second), dedupe)
    with pytest.raises(VersionConflictError):
        store.commit(second, invited(second))


@pytest.mark.parametrize("status", [ENDED, ConversationStatus.FAILED])
def test_the_call_of_a_finished_conversation_is_free(
    store: ConversationStore, status: ConversationStatus
) -> None:
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    store.commit(first, invited(first))
    moved(store, "c-1", status)
    store.commit(second, invited(second))
    assert holders(store) == ["c-2"]


def test_a_call_that_ended_in_its_conversation_is_free(store: ConversationStore) -> None:
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    held = store.commit(first, invited(first))
    store.commit(held, with_leg(held, status=LegStatus.ENDED))
    store.commit(second, invited(second))
    assert holders(store) == ["c-2"]


def test_the_call_of_a_deleted_conversation_is_free(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    store.commit(first, invited(first))
    pk, sk = keys.state("c-1")
    dynamodb.delete_item(TableName=template.table.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    store.commit(second, invited(second))
    assert holders(store) == ["c-2"]


def test_the_quota_still_holds_when_a_pointer_is_taken_over(store: ConversationStore) -> None:
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    store.commit(first, invited(first))
    moved(store, "c-1", ENDED)
    charge = QuotaCharge(keys.dials("ops", NOW), 2, 2, NOW + timedelta(hours=1))
    store.commit(None, begun("c-3"), charges=[charge])
    with pytest.raises(QuotaExceededError):
        store.commit(second, invited(second), charges=[replace(charge, units=1)])
    assert holders(store) == ["c-1"]
    store.commit(second, invited(second), charges=[replace(charge, units=1, most=3)])
    assert holders(store) == ["c-2"]


class _Before:
    """A DynamoDB client under which another process acts before the nth transaction."""

    def __init__(self, client: "DynamoDBClient", nth: int, act: Any) -> None:
        self._client = client
        self._nth = nth
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> Any:
        self._nth -= 1
        if self._nth == 0:
            self._act()
        return self._client.transact_write_items(**request)


def test_a_conversation_that_brings_its_ended_call_in_again_keeps_it(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    """Both conversations take the free call at the same time; the pointer decides."""
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    held = store.commit(first, invited(first))
    ended = store.commit(held, with_leg(held, status=LegStatus.ENDED))

    def again() -> None:
        store.commit(ended, invited(ended, name="guest-2"))

    racing: Any = _Before(dynamodb, 2, again)
    with pytest.raises(CallInUseError):
        ConversationStore(racing, template.table.name).commit(second, invited(second))
    assert holders(store) == ["c-1"]


def test_a_conversation_whose_ended_call_was_taken_cannot_bring_it_in_again(
    store: ConversationStore,
) -> None:
    first, second = store.commit(None, begun("c-1")), store.commit(None, begun("c-2"))
    held = store.commit(first, invited(first))
    ended = store.commit(held, with_leg(held, status=LegStatus.ENDED))
    store.commit(second, invited(second))
    with pytest.raises(CallInUseError):
        store.commit(ended, invited(ended, name="guest-2"))


def test_a_webhook_with_the_id_of_a_call_in_use_is_recorded_without_the_pointer(
    store: ConversationStore,
) -> None:
    """A hangup may be the first webhook of a call; a pointer never prevents the record."""
    first = store.commit(None, begun("c-1"))
    store.commit(first, invited(first))
    second = store.commit(None, begun("c-2"))
    unknown = store.commit(second, with_leg(second, call_leg_id="leg-2"))
    dialled = unknown.model_copy(deep=True)
    dialled.host.legs.append(dialled.host.legs[0].model_copy(update={"number": 2}))
    dialled.host.legs[1].call_control_id = dialled.host.legs[1].call_leg_id = None
    dialled = store.commit(unknown, Decision(dialled))
    changes = {"call_control_id": GUEST, "call_leg_id": "leg-3", "status": LegStatus.ENDED}
    after = store.commit(dialled, with_leg(dialled, **changes))
    assert after.host.legs[1].status is LegStatus.ENDED
    assert store.load("c-2") == after
    assert holders(store, GUEST, "leg-3") == ["c-1", "c-2"]


def test_a_webhook_takes_the_pointer_of_a_finished_conversation_over(
    store: ConversationStore,
) -> None:
    first = store.commit(None, begun("c-1"))
    store.commit(first, with_leg(first, call_leg_id="leg-1"))
    moved(store, "c-1", ENDED)
    second = store.commit(None, begun("c-2"))
    store.commit(second, with_leg(second, call_leg_id="leg-1"))
    assert holders(store, "v3:c-2", "leg-1") == ["c-2", "c-2"]


def test_eleven_live_calls_of_finished_conversations_start_one_conversation(
    store: ConversationStore,
) -> None:
    """The most that a start can bring in: its transaction stays below 100 items."""
    for nth in range(10):
        store.commit(None, begun(f"old-{nth}"))
        moved(store, f"old-{nth}", ENDED)
    step = begun("c-1")
    for nth in range(10):
        assert step.conversation is not None
        guest = invited(step.conversation, f"v3:old-{nth}", f"guest-{nth}")
        step = replace(guest, events=[*step.events, *guest.events])
    store.commit(None, step)
    assert [holders(store, f"v3:old-{nth}") for nth in range(10)] == [["c-1"]] * 10

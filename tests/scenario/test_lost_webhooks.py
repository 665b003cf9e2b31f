"""Webhooks that never come, come twice, late or in another order: it ends the same way."""

from collections.abc import Callable

import pytest

from local.http_api import HttpRequest
from local.simulator.delivery import DeliveryKnobs
from local.simulator.settings import Settings
from tests.scenario.people import CALLER, DANA, HOST, OURS
from tests.scenario.stage import URL, Stage, Staged, event_type, minutes

TYPES = [
    "call.initiated",
    "call.answered",
    "call.hangup",
    "call.conversation.created",
    "call.conversation.ended",
    "call.conversation_insights.generated",
]

JOINED, LEFT = "Dana has joined the conversation.", "Dana has left the conversation."

PATIENCE = minutes(5)
"""How long after something happened everything is right again, whatever was lost."""


def outbound(at: Stage) -> str:
    return at.start()


def inbound(at: Stage) -> str:
    at.ring_in()
    assert at.until(lambda: bool(at.conversations()), PATIENCE)
    (conversation,) = at.conversations()
    return at.poller.watch(conversation["id"])


def attached(at: Stage) -> str:
    return at.attach(at.telnyx.outside_call(CALLER, OURS, f"{URL}/webhooks"))


BEGINNINGS: dict[str, tuple[Callable[[Stage], str], str]] = {
    "outbound": (outbound, HOST),
    "inbound": (inbound, CALLER),
    "attached": (attached, CALLER),
}

LOST = [
    (beginning, lost)
    for beginning in BEGINNINGS
    for lost in TYPES
    # Of a call that we never hear of we can know nothing.
    if (beginning, lost) != ("inbound", "call.initiated")
]


@pytest.mark.parametrize(("beginning", "lost"), LOST)
def test_whatever_is_lost_is_made_good_within_five_minutes(
    stage: Staged, beginning: str, lost: str
) -> None:
    at = stage()
    begin, host = BEGINNINGS[beginning]
    at.telnyx.deliverer.knobs[lost] = DeliveryKnobs(drop=1.0)
    here = begin(at)
    assert at.until(lambda: at.status(here) == "active", PATIENCE)

    at.invite(here, DANA, name="Dana")
    assert at.until(lambda: at.told() == [JOINED], PATIENCE)
    assert at.joined() == ["Dana"]

    at.hang_up(DANA)
    assert at.until(lambda: at.told() == [JOINED, LEFT], PATIENCE)
    assert at.person(here, "Dana")["status"] == "left"

    at.hang_up(host)
    assert at.until(lambda: bool(at.conversation(here)["insights"]), PATIENCE)
    seen = at.conversation(here)
    assert seen["status"] == "ended"
    assert len(seen["insights"]) == len(at.settings.insight_results)
    assert {each["status"] for each in seen["participants"]} == {"left"}
    assert at.told() == [JOINED, LEFT]
    at.assert_no_leg_up()
    at.assert_clean()


def test_without_any_webhook_at_all_a_call_is_held_all_the_same(stage: Staged) -> None:
    at = stage()
    at.telnyx.deliverer.knobs["*"] = DeliveryKnobs(drop=1.0)
    here = at.start()
    assert at.until(lambda: at.status(here) == "active", PATIENCE)
    at.invite(here, DANA, name="Dana")
    assert at.until(lambda: at.joined() == ["Dana"], PATIENCE)
    at.hang_up(HOST)
    at.run(PATIENCE)
    assert at.status(here) == "ended"
    assert at.conversation(here)["insights"]
    at.assert_no_leg_up()
    at.assert_clean()


def test_an_inbound_call_that_we_never_hear_of_is_left_alone(stage: Staged) -> None:
    at = stage()
    at.telnyx.deliverer.knobs["call.initiated"] = DeliveryKnobs(drop=1.0)
    at.ring_in()
    at.run(PATIENCE)
    assert at.table.keys() == []
    assert at.telnyx.ledger == []


MISTREATED = {
    "doubled": DeliveryKnobs(duplicates=2),
    "late": DeliveryKnobs(delay_secs=(0.0, 4.0)),
    "overtaken": DeliveryKnobs(reorder=True),
    "all of it": DeliveryKnobs(delay_secs=(0.0, 4.0), duplicates=2, reorder=True),
}


@pytest.mark.parametrize("how", MISTREATED)
def test_a_whole_story_ends_the_same_however_its_webhooks_come(stage: Staged, how: str) -> None:
    at = stage()
    at.telnyx.deliverer.knobs["*"] = MISTREATED[how]
    here = at.start(name="Robin", participants=[{"to": DANA, "name": "Dana"}])
    at.run(20)
    assert at.status(here) == "active"
    at.hang_up(DANA)
    at.run(20)
    at.hang_up(HOST)
    at.run(minutes(1))
    assert sorted(at.asked()) == [
        "dial Dana",
        "dial host",
        "join Dana",
        "start host",
        "tell host",
        "tell host",
    ]
    assert at.told() == [JOINED, LEFT]
    seen = at.conversation(here)
    assert seen["status"] == "ended"
    assert [each["status"] for each in seen["participants"]] == ["left", "left"]
    assert len(seen["insights"]) == len(at.settings.insight_results)
    assert at.types(here).count("conversation.insights_generated") == 1
    assert [each["seq"] for each in at.timeline(here)] == list(range(1, len(at.types(here)) + 1))
    at.assert_no_leg_up()
    at.assert_clean()


@pytest.mark.parametrize("longest_secs", [1.0, 3.0, 9.0])
def test_an_inbound_story_ends_the_same_with_everything_at_once(
    stage: Staged, longest_secs: float
) -> None:
    at = stage()
    at.telnyx.deliverer.knobs["*"] = DeliveryKnobs((0.0, longest_secs), 1, reorder=True)
    at.ring_in()
    at.run(40)
    at.hang_up(CALLER)
    at.run(minutes(1))
    (seen,) = at.conversations()
    assert seen["status"] == "ended"
    assert at.asked() == ["answer caller", "start caller"]
    at.assert_clean()


def test_the_answer_overtakes_the_reply_to_our_own_dial(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=True))
    at.fail("dial", "slow")
    here = at.start()
    at.run(5)
    assert at.status(here) == "active"
    assert at.asked() == ["dial host", "start host"]
    at.assert_clean()


def test_the_insights_come_before_the_end(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    at.telnyx.deliverer.knobs["call.conversation.ended"] = DeliveryKnobs((8.0, 8.0))
    at.telnyx.deliverer.knobs["call.hangup"] = DeliveryKnobs((8.0, 8.0))
    at.hang_up(HOST)
    at.run(5)
    assert at.status(here) == "active"
    assert len(at.conversation(here)["insights"]) == len(at.settings.insight_results)
    at.run(10)
    assert at.status(here) == "ended"
    assert len(at.conversation(here)["insights"]) == len(at.settings.insight_results)
    assert at.types(here).count("conversation.insights_generated") == 1
    at.assert_clean()


def test_the_assistants_own_end_is_never_told_and_its_insights_tell_it(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.invite(here, DANA, name="Dana")
    at.run(5)
    at.telnyx.deliverer.knobs["call.conversation.ended"] = DeliveryKnobs(drop=1.0)
    at.telnyx.end_assistant(at.leg(HOST).call_control_id)
    at.run(10)
    assert at.status(here) == "active"
    at.run(PATIENCE)
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_the_insights_of_each_run_are_asked_for_if_one_is_lost(stage: Staged) -> None:
    at = stage()
    guest = {"to": DANA, "name": "Dana"}
    here = at.start(on_host_hangup="continue_conversation", participants=[guest])
    at.run(10)
    at.telnyx.deliverer.knobs["call.conversation_insights.generated"] = DeliveryKnobs(drop=1.0)
    at.hang_up(HOST)
    at.run(30)
    at.telnyx.deliverer.knobs.clear()
    assert len(at.telnyx.conversations) == 2
    at.hang_up(DANA)
    at.run(PATIENCE)
    assert len(at.conversation(here)["insights"]) == 2 * len(at.settings.insight_results)


def test_the_same_webhook_three_times_at_the_same_time_is_taken_in_once(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.hold()
    at.run(5)
    webhooks = at.release(lambda kind: kind == "call.answered")
    assert set(at.arrive_together(webhooks * 3)) <= {200, 503}
    at.run(minutes(1))
    assert at.asked() == ["dial host", "start host"]
    assert at.types(here).count("leg.answered") == 1
    assert at.status(here) == "active"
    at.assert_clean()


def test_the_hosts_answer_and_a_guests_come_at_the_same_time(stage: Staged) -> None:
    at = stage()
    here = at.start(participants=[{"to": DANA, "name": "Dana"}])
    at.hold()
    at.run(1.5)
    webhooks = at.release()
    answered = [each for each in webhooks if event_type(each) == "call.answered"]
    assert len(answered) == 2
    redeliver(at, answered)
    at.run(minutes(1))
    assert sorted(at.asked()) == ["dial Dana", "dial host", "join Dana", "start host", "tell host"]
    assert at.person(here, "Dana")["status"] == "joined"
    at.assert_clean()


def test_everything_that_ends_a_call_comes_at_the_same_time(stage: Staged) -> None:
    at = stage()
    here = at.start(participants=[{"to": DANA, "name": "Dana"}])
    at.run(5)
    at.hold()
    at.hang_up(HOST)
    at.hang_up(DANA)
    at.run(5)
    webhooks = at.release()
    assert len(webhooks) == 4
    redeliver(at, webhooks)
    at.run(minutes(2))
    seen = at.conversation(here)
    assert seen["status"] == "ended"
    assert [each["status"] for each in seen["participants"]] == ["left", "left"]
    assert len(seen["insights"]) == len(at.settings.insight_results)
    at.assert_no_leg_up()
    at.assert_clean()


def redeliver(at: Stage, webhooks: list[HttpRequest]) -> None:
    """All at once; whatever could not be taken in is delivered again, as Telnyx does."""
    statuses = at.arrive_together(webhooks)
    assert set(statuses) <= {200, 503}
    again = [each for each, status in zip(webhooks, statuses, strict=True) if status == 503]
    assert set(at.arrive(again)) <= {200}

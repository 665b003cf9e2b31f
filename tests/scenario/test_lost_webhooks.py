"""Lost, doubled, late and reordered webhooks lead to the same result."""

from collections.abc import Callable

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.settings import Settings
from local.stack.http_api import HttpRequest
from tests.support.lab import URL, Lab, NewLab, event_type, minutes
from tests.support.people import CALLER, DANA, HOST, OUR_NUMBER

TYPES = [
    "call.initiated",
    "call.answered",
    "call.hangup",
    "call.conversation.created",
    "call.conversation.ended",
    "call.conversation_insights.generated",
]

JOINED, LEFT = "“Dana” has joined the conversation.", "“Dana” has left the conversation."

REPAIR_SECS = minutes(5)
"""The longest time in which a lost webhook is repaired."""


def outbound(lab: Lab) -> str:
    return lab.start()


def inbound(lab: Lab) -> str:
    lab.ring_in()
    assert lab.run_until(lambda: bool(lab.conversations()), REPAIR_SECS)
    (conversation,) = lab.conversations()
    return lab.poller.watch(conversation["id"])


def with_answer(lab: Lab) -> str:
    lab.route(OUR_NUMBER, start="with_answer")
    return inbound(lab)


def attached(lab: Lab) -> str:
    return lab.attach(lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks"))


BEGINNINGS: dict[str, tuple[Callable[[Lab], str], str]] = {
    "outbound": (outbound, HOST),
    "inbound": (inbound, CALLER),
    "with answer": (with_answer, CALLER),
    "attached": (attached, CALLER),
}

LOST = [
    (beginning, lost)
    for beginning in BEGINNINGS
    for lost in TYPES
    # An inbound call is unknown without its first webhook.
    if not (beginning in ("inbound", "with answer") and lost == "call.initiated")
]


@pytest.mark.parametrize(("beginning", "lost"), LOST)
def test_the_loss_of_any_webhook_type_is_repaired_within_five_minutes(
    new_lab: NewLab, beginning: str, lost: str
) -> None:
    lab = new_lab()
    begin, host = BEGINNINGS[beginning]
    lab.telnyx.deliverer.settings[lost] = DeliverySettings(drop=1.0)
    conversation_id = begin(lab)
    assert lab.run_until(lambda: lab.status(conversation_id) == "active", REPAIR_SECS)

    lab.invite(conversation_id, DANA, name="Dana")
    assert lab.run_until(lambda: lab.messages_to_assistant() == [JOINED], REPAIR_SECS)
    assert lab.people_joined() == ["Dana"]

    lab.hang_up(DANA)
    assert lab.run_until(lambda: lab.messages_to_assistant() == [JOINED, LEFT], REPAIR_SECS)
    assert lab.person(conversation_id, "Dana")["status"] == "left"

    lab.hang_up(host)
    assert lab.run_until(lambda: bool(lab.conversation(conversation_id)["insights"]), REPAIR_SECS)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert len(conversation["insights"]) == len(lab.settings.insight_results)
    assert {participant["status"] for participant in conversation["participants"]} == {"left"}
    assert lab.messages_to_assistant() == [JOINED, LEFT]
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_whole_call_works_without_any_webhook(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.telnyx.deliverer.settings["*"] = DeliverySettings(drop=1.0)
    conversation_id = lab.start()
    assert lab.run_until(lambda: lab.status(conversation_id) == "active", REPAIR_SECS)
    lab.invite(conversation_id, DANA, name="Dana")
    assert lab.run_until(lambda: lab.people_joined() == ["Dana"], REPAIR_SECS)
    lab.hang_up(HOST)
    lab.run(REPAIR_SECS)
    assert lab.status(conversation_id) == "ended"
    assert lab.conversation(conversation_id)["insights"]
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_an_inbound_call_without_its_first_webhook_is_not_touched(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.telnyx.deliverer.settings["call.initiated"] = DeliverySettings(drop=1.0)
    lab.ring_in()
    lab.run(REPAIR_SECS)
    assert lab.table.keys() == []
    assert lab.telnyx.ledger == []


def without_words(lab: Lab) -> list[str]:
    """The commands without the waiting words: Dana may answer before the host, or after."""
    words = ("speak to Dana", "stop the voice to Dana")
    return [command for command in lab.commands_in_words() if command not in words]


DISTURBANCES = {
    "doubled": DeliverySettings(duplicates=2),
    "late": DeliverySettings(delay_secs=(0.0, 4.0)),
    "reordered": DeliverySettings(reorder=True),
    "all three": DeliverySettings(delay_secs=(0.0, 4.0), duplicates=2, reorder=True),
}


@pytest.mark.parametrize("how", DISTURBANCES)
def test_an_outbound_call_ends_the_same_with_late_doubled_and_reordered_webhooks(
    new_lab: NewLab, how: str
) -> None:
    lab = new_lab()
    lab.telnyx.deliverer.settings["*"] = DISTURBANCES[how]
    conversation_id = lab.start(name="Robin", participants=[{"to": DANA, "name": "Dana"}])
    lab.run(20)
    assert lab.status(conversation_id) == "active"
    lab.hang_up(DANA)
    lab.run(20)
    lab.hang_up(HOST)
    lab.run(minutes(1))
    assert sorted(without_words(lab)) == [
        "dial Dana",
        "dial host",
        "join Dana",
        "start host",
        "tell host",
        "tell host",
    ]
    assert lab.messages_to_assistant() == [JOINED, LEFT]
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert [participant["status"] for participant in conversation["participants"]] == [
        "left",
        "left",
    ]
    assert len(conversation["insights"]) == len(lab.settings.insight_results)
    assert lab.event_types(conversation_id).count("conversation.insights_generated") == 1
    assert [event["seq"] for event in lab.timeline(conversation_id)] == list(
        range(1, len(lab.event_types(conversation_id)) + 1)
    )
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.parametrize("longest_secs", [1.0, 3.0, 9.0])
def test_an_inbound_call_ends_the_same_with_late_doubled_and_reordered_webhooks(
    new_lab: NewLab, longest_secs: float
) -> None:
    lab = new_lab()
    lab.telnyx.deliverer.settings["*"] = DeliverySettings((0.0, longest_secs), 1, reorder=True)
    lab.ring_in()
    lab.run(40)
    lab.hang_up(CALLER)
    lab.run(minutes(1))
    (conversation,) = lab.conversations()
    assert conversation["status"] == "ended"
    assert lab.commands_in_words() == ["answer caller", "start caller"]
    lab.assert_clean()


def test_call_answered_may_arrive_before_the_reply_to_our_dial(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=True))
    lab.fail("dial", "slow")
    conversation_id = lab.start()
    lab.run(5)
    assert lab.status(conversation_id) == "active"
    assert lab.commands_in_words() == ["dial host", "start host"]
    lab.assert_clean()


def test_insights_may_arrive_before_the_end(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.telnyx.deliverer.settings["call.conversation.ended"] = DeliverySettings((8.0, 8.0))
    lab.telnyx.deliverer.settings["call.hangup"] = DeliverySettings((8.0, 8.0))
    lab.hang_up(HOST)
    lab.run(5)
    assert lab.status(conversation_id) == "active"
    assert len(lab.conversation(conversation_id)["insights"]) == len(lab.settings.insight_results)
    lab.run(10)
    assert lab.status(conversation_id) == "ended"
    assert len(lab.conversation(conversation_id)["insights"]) == len(lab.settings.insight_results)
    assert lab.event_types(conversation_id).count("conversation.insights_generated") == 1
    lab.assert_clean()


def test_insights_reveal_an_assistants_end_whose_webhook_was_lost(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    lab.telnyx.deliverer.settings["call.conversation.ended"] = DeliverySettings(drop=1.0)
    lab.telnyx.end_assistant(lab.leg(HOST).call_control_id)
    lab.run(10)
    assert lab.status(conversation_id) == "active"
    lab.run(REPAIR_SECS)
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_lost_insights_of_each_run_are_fetched(new_lab: NewLab) -> None:
    lab = new_lab()
    guest = {"to": DANA, "name": "Dana"}
    conversation_id = lab.start(on_host_hangup="continue_conversation", participants=[guest])
    lab.run(10)
    lab.telnyx.deliverer.settings["call.conversation_insights.generated"] = DeliverySettings(
        drop=1.0
    )
    lab.hang_up(HOST)
    lab.run(30)
    lab.telnyx.deliverer.settings.clear()
    assert len(lab.telnyx.conversations) == 2
    lab.hang_up(DANA)
    lab.run(REPAIR_SECS)
    assert len(lab.conversation(conversation_id)["insights"]) == 2 * len(
        lab.settings.insight_results
    )


def test_three_copies_of_a_webhook_at_the_same_time_count_once(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.hold()
    lab.run(5)
    webhooks = lab.release(lambda kind: kind == "call.answered")
    assert set(lab.deliver_together(webhooks * 3)) <= {200, 503}
    lab.run(minutes(1))
    assert lab.commands_in_words() == ["dial host", "start host"]
    assert lab.event_types(conversation_id).count("leg.answered") == 1
    assert lab.status(conversation_id) == "active"
    lab.assert_clean()


def test_the_hosts_answer_and_a_guests_answer_may_arrive_together(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.hold()
    lab.run(1.5)
    webhooks = lab.release()
    answered = [webhook for webhook in webhooks if event_type(webhook) == "call.answered"]
    assert len(answered) == 2
    deliver_at_once(lab, answered)
    lab.run(minutes(1))
    assert sorted(without_words(lab)) == [
        "dial Dana",
        "dial host",
        "join Dana",
        "start host",
        "tell host",
    ]
    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    lab.assert_clean()


def test_all_webhooks_of_the_end_of_a_call_may_arrive_together(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(5)
    lab.hold()
    lab.hang_up(HOST)
    lab.hang_up(DANA)
    lab.run(5)
    webhooks = lab.release()
    assert len(webhooks) == 6
    deliver_at_once(lab, webhooks)
    lab.run(minutes(2))
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert [participant["status"] for participant in conversation["participants"]] == [
        "left",
        "left",
    ]
    assert len(conversation["insights"]) == len(lab.settings.insight_results)
    lab.assert_no_leg_up()
    lab.assert_clean()


def deliver_at_once(lab: Lab, webhooks: list[HttpRequest]) -> None:
    """Deliver all webhooks at once, then redeliver each that got 503, as Telnyx does."""
    statuses = lab.deliver_together(webhooks)
    assert set(statuses) <= {200, 503}
    again = [webhook for webhook, status in zip(webhooks, statuses, strict=True) if status == 503]
    assert set(lab.deliver(again)) <= {200}

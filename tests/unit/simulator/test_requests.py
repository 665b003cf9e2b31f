"""Requests sent twice, requests that get lost, and the books that are kept of them."""

import httpx
import pytest

from local.simulator.faults import Fault
from local.simulator.settings import Settings
from tests.support.simulator_story import ASSISTANT, FRIEND, HOOK, US, Story, code
from tests.support.simulator_transport import SimulatorTransport


def dial(story: Story, **more: str) -> tuple[int, dict[str, object]]:
    body = {"connection_id": story.settings.connection_id, "to": FRIEND, "from": US, **more}
    return story.request("POST", "/calls", body)


def client(story: Story) -> httpx.Client:
    return httpx.Client(
        base_url="https://telnyx.example/v2",
        headers={"Authorization": f"Bearer {story.settings.api_key}"},
        transport=SimulatorTransport(story.telnyx, story.clock),
    )


def test_a_dial_sent_twice_rings_once_and_promises_nothing(story: Story) -> None:
    dial(story, command_id="c1")
    status, answer = dial(story, command_id="c1")

    assert (status, answer) == (200, {"data": {"result": "ok"}})
    assert len(story.telnyx.legs) == 1
    assert [entry.duplicate for entry in story.telnyx.ledger] == [False, True]
    assert story.telnyx.violations == []


def test_a_duplicate_may_get_the_first_answer_again() -> None:
    story = Story(Settings(webhook_url=HOOK, duplicate_reply="same"))

    assert dial(story, command_id="c1") == dial(story, command_id="c1")
    assert len(story.telnyx.legs) == 1


def test_after_a_minute_telnyx_has_forgotten_the_command(story: Story) -> None:
    dial(story, command_id="c1", client_state="YQ==")
    story.clock.advance(60)
    dial(story, command_id="c1", client_state="YQ==")
    assert len(story.telnyx.legs) == 1

    story.clock.advance(1)
    dial(story, command_id="c1", client_state="YQ==")

    assert len(story.telnyx.legs) == 2
    assert story.telnyx.violations == ["dialled twice for client_state YQ=="]


def test_a_command_id_counts_for_its_own_call_whatever_the_command(story: Story) -> None:
    one, other = story.answered(), story.answered()
    story.command(one, "ai_assistant_start", assistant=ASSISTANT, command_id="c1")

    assert story.command(one, "hangup", command_id="c1")[1] == {"data": {"result": "ok"}}
    assert story.command(other, "hangup", command_id="c1")[0] == 200
    assert (one.state, other.state) == ("answered", "ended")


def test_a_refused_command_can_be_sent_again_with_its_id(story: Story) -> None:
    leg = story.dial()
    start = {"assistant": ASSISTANT, "command_id": "c1"}
    assert story.command(leg, "ai_assistant_start", **start)[0] == 422

    story.clock.advance(1)

    assert "conversation_id" in story.command(leg, "ai_assistant_start", **start)[1]["data"]


@pytest.mark.parametrize(("status", "error"), [(429, "10011"), (500, "10007"), (503, "10007")])
def test_a_fault_can_refuse_before_anything_happens(story: Story, status: int, error: str) -> None:
    story.telnyx.faults.add(Fault("refuse", "dial", status=status))
    reply = story.reply("POST", "/calls", {})
    assert reply.status == status
    assert ("x-ratelimit-reset" in reply.headers) == (status == 429)
    assert error in reply.body.decode()
    assert story.telnyx.legs == []

    assert dial(story)[0] == 200


def test_a_fault_hits_its_action_only_and_as_often_as_told(story: Story) -> None:
    story.telnyx.faults.add(Fault("refuse", "hangup", times=2))
    leg = story.dial()

    statuses = [story.command(leg, "hangup")[0] for _ in range(3)]

    assert statuses == [500, 500, 200]


def test_a_fault_by_chance_is_decided_by_the_seed() -> None:
    def told(seed: int) -> list[int]:
        story = Story(seed=seed)
        story.telnyx.faults.add(Fault("refuse", times=None, probability=0.5))
        return [dial(story)[0] for _ in range(30)]

    assert told(1) == told(1)
    assert set(told(1)) == {200, 500}


def test_a_broken_connection_has_no_effect(story: Story) -> None:
    story.telnyx.faults.add(Fault("drop", "dial"))
    body = {"connection_id": story.settings.connection_id, "to": FRIEND, "from": US}

    with client(story) as http, pytest.raises(httpx.RemoteProtocolError):
        http.post("/calls", json=body)

    assert story.telnyx.legs == []
    assert story.telnyx.ledger[0].status == 0


def test_a_lost_answer_has_its_effect_and_the_call_goes_on_meanwhile(story: Story) -> None:
    story.telnyx.faults.add(Fault("lose_reply", "dial", secs=2))
    body = {"connection_id": story.settings.connection_id, "to": FRIEND, "from": US}

    with client(story) as http, pytest.raises(httpx.ReadTimeout):
        http.post("/calls", json=body)

    assert story.types == ["call.initiated", "call.answered"]
    assert story.telnyx.ledger[0].lost


def test_webhooks_can_beat_a_slow_answer(story: Story) -> None:
    story.telnyx.faults.add(Fault("slow", "dial", secs=3))
    body = {"connection_id": story.settings.connection_id, "to": FRIEND, "from": US}

    with client(story) as http:
        answer = http.post("/calls", json=body)

    assert answer.status_code == 200
    assert story.types == ["call.initiated", "call.answered"]


def test_a_call_id_may_be_encoded_in_the_path(story: Story) -> None:
    leg = story.answered()
    with client(story) as http:
        encoded = http.get(f"/calls/{leg.call_control_id.replace(':', '%3A')}")
        plain = http.get(f"/calls/{leg.call_control_id}")

    assert encoded.json() == plain.json()
    assert encoded.status_code == 200


def test_the_ledger_tells_what_was_asked_and_answered(story: Story) -> None:
    leg = story.answered()
    story.command(leg, "hangup", command_id="c9")

    entry = story.telnyx.ledger[-1]
    assert (entry.action, entry.method, entry.status) == ("hangup", "POST", 200)
    assert (entry.call_control_id, entry.command_id) == (leg.call_control_id, "c9")
    assert (entry.body, entry.response) == ({"command_id": "c9"}, {"data": {"result": "ok"}})


def test_an_application_is_made_changed_found_and_removed(story: Story) -> None:
    body = {"application_name": "Line 2", "webhook_event_url": HOOK}
    path = "/call_control_applications"
    _, made = story.request("POST", path, body)
    assert made["data"]["webhook_api_version"] == "1"
    one = f"{path}/{made['data']['id']}"

    change = {**body, "webhook_api_version": "2", "webhook_timeout_secs": 10}
    story.request("PATCH", one, change)

    _, found = story.request("GET", f"{path}?filter[application_name][contains]=line+2")
    assert [row["webhook_timeout_secs"] for row in found["data"]] == [10]
    assert story.request("GET", one)[1]["data"]["webhook_api_version"] == "2"
    assert story.request("DELETE", one)[0] == 200
    status, answer = story.request("GET", one)
    assert (status, code(answer)[0]) == (404, "10005")


def test_an_application_needs_a_name_and_sane_values(story: Story) -> None:
    path = "/call_control_applications"

    _, nameless = story.request("POST", path, {"webhook_event_url": HOOK})
    body = {"application_name": "x", "webhook_event_url": HOOK, "webhook_timeout_secs": 31}
    _, patient = story.request("POST", path, body)

    assert code(nameless) == ("10004", "/application_name")
    assert code(patient) == ("10033", "/webhook_timeout_secs")
    assert story.request("GET", f"{path}?page[size]=0")[0] == 422

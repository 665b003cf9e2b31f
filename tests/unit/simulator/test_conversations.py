"""Assistant conversations: participants, messages and ends."""

from typing import Any
from urllib.parse import quote

from local.simulator.settings import Settings
from tests.support.simulator_harness import ASSISTANT, CALLER, FRIEND, HOOK, SimulatorHarness


def listed(harness: SimulatorHarness, call: str) -> list[Any]:
    name = quote("metadata->call_control_id")
    path = f"/ai/conversations?{name}=eq.{quote(call, safe='')}&order=created_at.desc&limit=2"
    status, answer = harness.request("GET", path)
    assert status == 200
    return list(answer["data"])


def test_an_assistant_starts_and_greets_the_caller(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    greeted = {**ASSISTANT, "greeting": "Welcome!"}
    _, answer = harness.command(leg, "ai_assistant_start", assistant=greeted, client_state="YQ==")

    harness.clock.advance(0.6)
    assert "call.conversation.created" not in harness.types
    harness.clock.advance(0.2)

    (created,) = harness.hooks("call.conversation.created")
    assert created.payload["conversation_id"] == answer["data"]["conversation_id"]
    assert created.payload["client_state"] == "YQ=="
    assert created.envelope["data"]["created_at"].endswith("Z")
    assert leg.heard[-1][1] == "assistant: Welcome!"


def test_the_host_hears_a_friend_who_joined(harness: SimulatorHarness) -> None:
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    conversation = harness.started(host)

    status, answer = harness.joined(friend, conversation, name="Ada")
    harness.telnyx.say(friend.call_control_id, "Hello")

    assert (status, answer["data"]["conversation_id"]) == (200, conversation)
    assert [perception for _, perception in host.heard][-2:] == ["Ada joined", f"{FRIEND}: Hello"]


def test_a_start_can_name_participants(harness: SimulatorHarness) -> None:
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    guest = {"id": friend.call_control_id, "role": "user", "name": "Ada"}

    harness.command(host, "ai_assistant_start", assistant=ASSISTANT, participants=[guest])

    assert friend.conversation_id == host.conversation_id is not None


def test_a_start_with_an_unknown_participant_is_refused(
    harness: SimulatorHarness,
) -> None:
    host = harness.answered(CALLER)
    ghost = {"id": "v3:nobody", "role": "user"}

    status, _ = harness.command(
        host, "ai_assistant_start", assistant=ASSISTANT, participants=[ghost]
    )

    assert (status, harness.telnyx.conversations) == (422, [])


def test_the_transcript_has_all_messages_in_pages(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    conversation = harness.started(leg)
    harness.telnyx.say(leg.call_control_id, "Call Ada")
    messages = [{"role": "system", "content": "Ada does not answer"}]
    assert harness.command(leg, "ai_assistant_add_messages", messages=messages)[0] == 200

    _, answer = harness.request("GET", f"/ai/conversations/{conversation}/messages")
    assert [(row["role"], row["text"]) for row in answer["data"]] == [
        ("assistant", "Hello, how can I help?"),
        ("user", "Call Ada"),
        ("system", "Ada does not answer"),
    ]
    path = f"/ai/conversations/{conversation}/messages?page[size]=2&page[number]=2"
    _, second = harness.request("GET", path)
    assert [row["role"] for row in second["data"]] == ["system"]
    assert second["meta"]["total_pages"] == 2


def test_only_the_starting_leg_finds_a_conversation(harness: SimulatorHarness) -> None:
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    conversation = harness.started(host)
    harness.joined(friend, conversation)

    (row,) = listed(harness, host.call_control_id)

    assert (row["id"], row["metadata"]["assistant_id"]) == (conversation, "assistant-1")
    assert listed(harness, friend.call_control_id) == []


def test_a_new_conversation_is_listed_after_the_set_delay(harness: SimulatorHarness) -> None:
    harness.settings.listed_after_secs = 5
    leg = harness.answered()
    harness.started(leg)

    assert listed(harness, leg.call_control_id) == []
    harness.clock.advance(5)
    assert len(listed(harness, leg.call_control_id)) == 1


def test_a_bad_conversation_query_is_refused_in_the_shape_of_that_api(
    harness: SimulatorHarness,
) -> None:
    for query in ("limit=0", "order=name.asc", "shape=eq.1", "id=like.1"):
        status, answer = harness.request("GET", f"/ai/conversations?{query}")
        assert (status, answer["detail"][0]["loc"][0]) == (422, "query")


def test_a_stopped_assistant_leaves_all_legs_up(harness: SimulatorHarness) -> None:
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    conversation = harness.started(host)
    harness.joined(friend, conversation)

    assert harness.command(host, "ai_assistant_stop")[0] == 200
    harness.clock.advance(10)

    assert (host.state, friend.state) == ("answered", "answered")
    (ended,) = harness.hooks("call.conversation.ended")
    assert ended.payload["conversation_id"] == conversation
    assert ended.payload["call_control_id"] == host.call_control_id
    assert (ended.payload["reason"], ended.payload["duration_sec"]) == (None, 1)


def test_the_hosts_hangup_ends_the_conversation_but_not_the_friends_leg(
    harness: SimulatorHarness,
) -> None:
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    harness.joined(friend, harness.started(host))

    harness.telnyx.hang_up(host.call_control_id)
    harness.clock.advance(1)

    (ended,) = harness.hooks("call.conversation.ended")
    assert ended.payload["reason"] == "customer_disconnect"
    assert friend.state == "answered"


def test_the_conversation_goes_on_after_the_hosts_hangup_if_set_so(
    harness: SimulatorHarness,
) -> None:
    harness.settings.host_hangup = "continues"
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    harness.joined(friend, harness.started(host))

    harness.telnyx.hang_up(host.call_control_id)
    harness.clock.advance(1)
    assert harness.telnyx.conversations[0].status == "active"

    harness.telnyx.hang_up(friend.call_control_id)
    harness.clock.advance(1)
    assert len(harness.hooks("call.conversation.ended")) == 1


def test_the_conversation_goes_on_after_a_friends_hangup(harness: SimulatorHarness) -> None:
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    harness.joined(friend, harness.started(host))

    harness.telnyx.hang_up(friend.call_control_id)

    conversation = harness.telnyx.conversations[0]
    assert (conversation.status, conversation.participants[0].present) == ("active", False)


def test_a_hangup_with_end_conversation_ends_the_conversation(harness: SimulatorHarness) -> None:
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    harness.joined(friend, harness.started(host), on_hangup="end_conversation")

    harness.telnyx.hang_up(friend.call_control_id)

    assert harness.telnyx.conversations[0].status == "ended"
    assert host.state == "answered"


def test_every_leg_gets_the_end_of_the_conversation_if_set_so(harness: SimulatorHarness) -> None:
    harness.settings.ended_once_per_leg = True
    host, friend = harness.answered(CALLER), harness.answered(FRIEND)
    harness.joined(friend, harness.started(host))

    harness.command(host, "ai_assistant_stop")
    harness.clock.advance(1)

    informed = {
        hook.payload["call_control_id"] for hook in harness.hooks("call.conversation.ended")
    }
    assert informed == {host.call_control_id, friend.call_control_id}


def test_insights_come_after_the_end_without_a_conversation_id(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    conversation = harness.started(leg)
    path = f"/ai/conversations/{conversation}/conversations-insights"
    assert harness.request("GET", path)[1]["data"] == []

    harness.telnyx.hang_up(leg.call_control_id)
    assert harness.request("GET", path)[1]["data"][0]["status"] == "pending"
    harness.clock.advance(5)

    (insights,) = harness.hooks("call.conversation_insights.generated")
    assert "conversation_id" not in insights.payload
    assert "from" not in insights.payload
    results = [row["result"] for row in insights.payload["results"]]
    assert results == harness.settings.insight_results
    (row,) = harness.request("GET", path)[1]["data"]
    assert row["status"] == "completed"
    assert [type(insight["result"]) for insight in row["conversation_insights"]] == [str, str]


def test_an_assistant_without_insights_sends_no_insights() -> None:
    harness = SimulatorHarness(
        Settings(webhook_url=HOOK, insights_after_secs=None, analyzed_after_secs=None)
    )
    leg = harness.answered()
    harness.started(leg)
    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(60)

    assert harness.types[-2:] == ["call.conversation.ended", "call.cost"]


def test_an_unknown_conversation_is_not_found(harness: SimulatorHarness) -> None:
    for path in ("", "/messages", "/conversations-insights"):
        assert harness.request("GET", f"/ai/conversations/nothing{path}")[0] == 404

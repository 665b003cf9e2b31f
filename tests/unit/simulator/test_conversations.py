"""Assistant conversations: who is in them, what is said, how they end."""

from typing import Any
from urllib.parse import quote

from local.simulator.settings import Settings
from tests.support.simulator_story import ASSISTANT, CALLER, FRIEND, HOOK, Story


def listed(story: Story, call: str) -> list[Any]:
    name = quote("metadata->call_control_id")
    path = f"/ai/conversations?{name}=eq.{quote(call, safe='')}&order=created_at.desc&limit=2"
    status, answer = story.request("GET", path)
    assert status == 200
    return list(answer["data"])


def test_an_assistant_starts_and_greets_the_caller(story: Story) -> None:
    leg = story.answered()
    greeted = {**ASSISTANT, "greeting": "Welcome!"}
    _, answer = story.command(leg, "ai_assistant_start", assistant=greeted, client_state="YQ==")

    story.clock.advance(0.6)
    assert "call.conversation.created" not in story.types
    story.clock.advance(0.2)

    (created,) = story.hooks("call.conversation.created")
    assert created.payload["conversation_id"] == answer["data"]["conversation_id"]
    assert created.payload["client_state"] == "YQ=="
    assert created.envelope["data"]["created_at"].endswith("Z")
    assert leg.heard[-1][1] == "assistant: Welcome!"


def test_a_friend_joins_and_both_hear_each_other(story: Story) -> None:
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    conversation = story.started(host)

    status, answer = story.joined(friend, conversation, name="Ada")
    story.telnyx.say(friend.call_control_id, "Hello")

    assert (status, answer["data"]["conversation_id"]) == (200, conversation)
    assert [what for _, what in host.heard][-2:] == ["Ada joined", f"{FRIEND}: Hello"]


def test_participants_can_come_with_the_start(story: Story) -> None:
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    guest = {"id": friend.call_control_id, "role": "user", "name": "Ada"}

    story.command(host, "ai_assistant_start", assistant=ASSISTANT, participants=[guest])

    assert friend.conversation_id == host.conversation_id is not None


def test_a_start_with_a_participant_who_is_not_there_starts_nothing(story: Story) -> None:
    host = story.answered(CALLER)
    ghost = {"id": "v3:nobody", "role": "user"}

    status, _ = story.command(host, "ai_assistant_start", assistant=ASSISTANT, participants=[ghost])

    assert (status, story.telnyx.conversations) == (422, [])


def test_the_transcript_can_be_read(story: Story) -> None:
    leg = story.answered()
    conversation = story.started(leg)
    story.telnyx.say(leg.call_control_id, "Call Ada")
    messages = [{"role": "system", "content": "Ada does not answer"}]
    assert story.command(leg, "ai_assistant_add_messages", messages=messages)[0] == 200

    _, answer = story.request("GET", f"/ai/conversations/{conversation}/messages")
    assert [(row["role"], row["text"]) for row in answer["data"]] == [
        ("assistant", "Hello, how can I help?"),
        ("user", "Call Ada"),
        ("system", "Ada does not answer"),
    ]
    path = f"/ai/conversations/{conversation}/messages?page[size]=2&page[number]=2"
    _, second = story.request("GET", path)
    assert [row["role"] for row in second["data"]] == ["system"]
    assert second["meta"]["total_pages"] == 2


def test_a_conversation_is_found_by_its_starting_leg_only(story: Story) -> None:
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    conversation = story.started(host)
    story.joined(friend, conversation)

    (row,) = listed(story, host.call_control_id)

    assert (row["id"], row["metadata"]["assistant_id"]) == (conversation, "assistant-1")
    assert listed(story, friend.call_control_id) == []


def test_a_new_conversation_may_be_listed_late(story: Story) -> None:
    story.settings.listed_after_secs = 5
    leg = story.answered()
    story.started(leg)

    assert listed(story, leg.call_control_id) == []
    story.clock.advance(5)
    assert len(listed(story, leg.call_control_id)) == 1


def test_a_query_that_makes_no_sense_is_refused_in_its_own_shape(story: Story) -> None:
    for query in ("limit=0", "order=name.asc", "shape=eq.1", "id=like.1"):
        status, answer = story.request("GET", f"/ai/conversations?{query}")
        assert (status, answer["detail"][0]["loc"][0]) == (422, "query")


def test_stopping_the_assistant_leaves_everybody_on_the_line(story: Story) -> None:
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    conversation = story.started(host)
    story.joined(friend, conversation)

    assert story.command(host, "ai_assistant_stop")[0] == 200
    story.clock.advance(10)

    assert (host.state, friend.state) == ("answered", "answered")
    (ended,) = story.hooks("call.conversation.ended")
    assert ended.payload["conversation_id"] == conversation
    assert ended.payload["call_control_id"] == host.call_control_id
    assert (ended.payload["reason"], ended.payload["duration_sec"]) == (None, 1)


def test_the_hosts_hangup_ends_the_conversation_but_not_the_friends_leg(story: Story) -> None:
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    story.joined(friend, story.started(host))

    story.telnyx.hang_up(host.call_control_id)
    story.clock.advance(1)

    (ended,) = story.hooks("call.conversation.ended")
    assert ended.payload["reason"] == "customer_disconnect"
    assert friend.state == "answered"


def test_the_hosts_hangup_may_leave_the_others_talking(story: Story) -> None:
    story.settings.host_hangup = "continues"
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    story.joined(friend, story.started(host))

    story.telnyx.hang_up(host.call_control_id)
    story.clock.advance(1)
    assert story.telnyx.conversations[0].status == "active"

    story.telnyx.hang_up(friend.call_control_id)
    story.clock.advance(1)
    assert len(story.hooks("call.conversation.ended")) == 1


def test_a_friend_leaves_and_the_conversation_goes_on(story: Story) -> None:
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    story.joined(friend, story.started(host))

    story.telnyx.hang_up(friend.call_control_id)

    conversation = story.telnyx.conversations[0]
    assert (conversation.status, conversation.participants[0].present) == ("active", False)


def test_a_friend_whose_hangup_ends_it_ends_it(story: Story) -> None:
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    story.joined(friend, story.started(host), on_hangup="end_conversation")

    story.telnyx.hang_up(friend.call_control_id)

    assert story.telnyx.conversations[0].status == "ended"
    assert host.state == "answered"


def test_the_end_may_be_told_on_every_leg(story: Story) -> None:
    story.settings.ended_once_per_leg = True
    host, friend = story.answered(CALLER), story.answered(FRIEND)
    story.joined(friend, story.started(host))

    story.command(host, "ai_assistant_stop")
    story.clock.advance(1)

    told = {hook.payload["call_control_id"] for hook in story.hooks("call.conversation.ended")}
    assert told == {host.call_control_id, friend.call_control_id}


def test_insights_come_after_the_end_and_name_no_conversation(story: Story) -> None:
    leg = story.answered()
    conversation = story.started(leg)
    path = f"/ai/conversations/{conversation}/conversations-insights"
    assert story.request("GET", path)[1]["data"] == []

    story.telnyx.hang_up(leg.call_control_id)
    assert story.request("GET", path)[1]["data"][0]["status"] == "pending"
    story.clock.advance(5)

    (insights,) = story.hooks("call.conversation_insights.generated")
    assert "conversation_id" not in insights.payload
    assert "from" not in insights.payload
    results = [row["result"] for row in insights.payload["results"]]
    assert results == story.settings.insight_results
    (row,) = story.request("GET", path)[1]["data"]
    assert row["status"] == "completed"
    assert [type(one["result"]) for one in row["conversation_insights"]] == [str, str]


def test_an_assistant_without_insights_gives_none() -> None:
    story = Story(Settings(webhook_url=HOOK, insights_after_secs=None))
    leg = story.answered()
    story.started(leg)
    story.telnyx.hang_up(leg.call_control_id)
    story.clock.advance(60)

    assert story.types[-1] == "call.conversation.ended"


def test_an_unknown_conversation_is_not_found(story: Story) -> None:
    for path in ("", "/messages", "/conversations-insights"):
        assert story.request("GET", f"/ai/conversations/nothing{path}")[0] == 404

"""Each action sends the right request and reads the answer."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from partyline.telnyx import errors
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.requests import (
    AddMessagesRequest,
    AnswerRequest,
    Assistant,
    Command,
    DialRequest,
    GatherUsingSpeakRequest,
    HangUpRequest,
    JoinAssistantRequest,
    JoiningParticipant,
    Message,
    PlaybackStartRequest,
    PlaybackStopRequest,
    RetryPolicy,
    SpeakRequest,
    StartAssistantRequest,
    StopAssistantRequest,
)
from tests.support.telnyx_wire import Wire

LEG = "v3:2EC-70_CTEj"
TYPES = (
    "call.answered",
    "call.hangup",
    "call.conversation.created",
    "call.conversation.ended",
)
URLS = {name: (f"https://example.com/webhooks/{name}",) for name in TYPES}


def ok(data: object = None) -> httpx.Response:
    return httpx.Response(200, json={"data": data if data is not None else {"result": "ok"}})


def refused(
    pointer: str = "/webhook_urls", detail: str = "", code: str = "90057"
) -> httpx.Response:
    problem = {
        "code": code,
        "title": "Invalid webhook_urls",
        "detail": detail,
        "source": {"pointer": pointer},
    }
    return httpx.Response(422, json={"errors": [problem]})


def dial(**more: Any) -> DialRequest:
    return DialRequest(
        command_id="dial-1",
        connection_id="2811",
        to="+13125550101",
        from_="+13125550198",
        webhook_url="https://example.com/webhooks",
        **more,
    )


def bodies(wire: Wire) -> list[dict[str, Any]]:
    return [json.loads(request.content) for request in wire.requests]


def sent_types(wire: Wire) -> list[set[str]]:
    return [set(body.get("webhook_urls", ())) for body in bodies(wire)]


def test_a_dial_has_the_numbers_and_the_webhook_urls() -> None:
    wire = Wire(ok({"call_control_id": LEG, "call_leg_id": "l", "call_session_id": "s", "new": 1}))
    request = dial(
        timeout_secs=20,
        answering_machine_detection="premium",
        webhook_urls={"call.hangup": ("https://example.com/h",)},
        webhook_retries_policies={"call.hangup": RetryPolicy(retries_ms=(1000, 2000))},
        client_state="e30=",
    )

    dialed = CallControl(wire.client()).dial(request)

    assert (dialed.call_control_id, dialed.call_leg_id, dialed.call_session_id) == (LEG, "l", "s")
    assert wire.requests[0].url.path == "/v2/calls"
    assert bodies(wire) == [
        {
            "command_id": "dial-1",
            "client_state": "e30=",
            "connection_id": "2811",
            "to": "+13125550101",
            "from": "+13125550198",
            "timeout_secs": 20,
            "answering_machine_detection": "premium",
            "webhook_url": "https://example.com/webhooks",
            "webhook_urls": {"call.hangup": ["https://example.com/h"]},
            "webhook_retries_policies": {"call.hangup": {"retries_ms": [1000, 2000]}},
        }
    ]


@pytest.mark.parametrize("data", [{}, [], "ok", {"call_control_id": 7, "call_leg_id": None}])
def test_the_answer_to_a_dial_may_have_no_ids(data: object) -> None:
    dialed = CallControl(Wire(ok(data)).client()).dial(dial())

    assert dialed.call_control_id is None
    assert dialed.call_leg_id is None


ACTIONS: list[tuple[str, Callable[[CallControl], object], dict[str, Any]]] = [
    (
        "answer",
        lambda telnyx: telnyx.answer(LEG, AnswerRequest(command_id="c", webhook_url="https://x")),
        {"webhook_url": "https://x"},
    ),
    ("hangup", lambda telnyx: telnyx.hang_up(LEG, HangUpRequest(command_id="c")), {}),
    (
        "ai_assistant_start",
        lambda telnyx: telnyx.start_assistant(
            LEG,
            StartAssistantRequest(
                command_id="c",
                assistant=Assistant(
                    id="assistant-1", dynamic_variables={"vip": True, "age": 41, "name": "Ann"}
                ),
                participants=(JoiningParticipant(id="v3:b", on_hangup="end_conversation"),),
            ),
            answer_secs=4,
        ),
        {
            "assistant": {
                "id": "assistant-1",
                "dynamic_variables": {"vip": True, "age": 41, "name": "Ann"},
            },
            "participants": [{"id": "v3:b", "role": "user", "on_hangup": "end_conversation"}],
        },
    ),
    (
        "ai_assistant_join",
        lambda telnyx: telnyx.join_assistant(
            LEG,
            JoinAssistantRequest(
                command_id="c",
                conversation_id="conv",
                participant=JoiningParticipant(id=LEG, name="Ann"),
            ),
        ),
        {
            "conversation_id": "conv",
            "participant": {"id": LEG, "role": "user", "name": "Ann"},
        },
    ),
    (
        "ai_assistant_stop",
        lambda telnyx: telnyx.stop_assistant(LEG, StopAssistantRequest(command_id="c")),
        {},
    ),
    (
        "ai_assistant_add_messages",
        lambda telnyx: telnyx.add_messages(
            LEG,
            AddMessagesRequest(
                command_id="c", messages=(Message(role="system", content="Ann is on her way."),)
            ),
        ),
        {"messages": [{"role": "system", "content": "Ann is on her way."}]},
    ),
    (
        "gather_using_speak",
        lambda telnyx: telnyx.gather_using_speak(
            LEG,
            GatherUsingSpeakRequest(
                command_id="c", payload="Press one.", voice="Telnyx.KokoroTTS.af", maximum_digits=1
            ),
        ),
        {"payload": "Press one.", "voice": "Telnyx.KokoroTTS.af", "maximum_digits": 1},
    ),
    (
        "speak",
        lambda telnyx: telnyx.speak(
            LEG, SpeakRequest(command_id="c", payload="One moment.", voice="female", stop="all")
        ),
        {"payload": "One moment.", "voice": "female", "stop": "all"},
    ),
    (
        "playback_start",
        lambda telnyx: telnyx.start_playback(
            LEG,
            PlaybackStartRequest(
                command_id="c", audio_url="https://example.com/a.mp3", loop="infinity"
            ),
        ),
        {"audio_url": "https://example.com/a.mp3", "loop": "infinity"},
    ),
    (
        "playback_stop",
        lambda telnyx: telnyx.stop_playback(LEG, PlaybackStopRequest(command_id="c")),
        {"stop": "all"},
    ),
]


@pytest.mark.parametrize(("name", "act", "body"), ACTIONS, ids=[name for name, _, _ in ACTIONS])
def test_an_action_goes_to_the_legs_own_path(
    name: str, act: Callable[[CallControl], object], body: dict[str, Any]
) -> None:
    wire = Wire(ok())

    act(CallControl(wire.client()))

    [request] = wire.requests
    assert request.method == "POST"
    assert request.url.raw_path == f"/v2/calls/v3%3A2EC-70_CTEj/actions/{name}".encode()
    assert bodies(wire) == [{"command_id": "c", **body}]


def test_a_start_and_a_join_return_the_conversation_id() -> None:
    telnyx = CallControl(Wire(*[ok({"result": "ok", "conversation_id": "conv"})] * 2).client())
    join = JoinAssistantRequest(
        command_id="j", conversation_id="conv", participant=JoiningParticipant(id=LEG)
    )

    started = telnyx.start_assistant(
        LEG, StartAssistantRequest(command_id="s", assistant=Assistant(id="a")), answer_secs=4
    )

    assert started.conversation_id == "conv"
    assert telnyx.join_assistant(LEG, join).conversation_id == "conv"


def sent_forms(wire: Wire) -> list[str]:
    """The form and the event types of each request."""
    forms: dict[type, str] = {str: "string", list: "list"}
    return [
        " ".join([forms[type(urls[name])] for name in list(urls)[:1]] + sorted(urls))
        for urls in (body.get("webhook_urls", {}) for body in bodies(wire))
    ]


def dial_until_accepted(telnyx: CallControl, **more: Any) -> None:
    """Dial again after each refusal, as the engine does with another command_id."""
    for _ in range(5):
        try:
            telnyx.dial(dial(webhook_urls=URLS, **more))
        except errors.WebhookUrlsRefusedError:
            continue
        return


ALL, SURE = " ".join(sorted(URLS)), "call.answered call.hangup"


@pytest.mark.parametrize("code", ["90057", "10015"])
def test_webhook_urls_are_sent_as_lists_then_as_strings_then_with_fewer_types_then_not_at_all(
    code: str,
) -> None:
    wire = Wire(*[refused(code=code)] * 4, ok())
    telnyx = CallControl(wire.client())

    dial_until_accepted(telnyx)

    assert sent_forms(wire) == [
        f"list {ALL}",
        f"string {ALL}",
        f"list {SURE}",
        f"string {SURE}",
        "",
    ]
    assert telnyx.webhook_form == "none"
    assert bodies(wire)[4]["webhook_url"] == "https://example.com/webhooks"


def test_the_form_that_telnyx_takes_is_remembered_for_dials_and_answers() -> None:
    wire = Wire(refused("/webhook_urls/call.answered"), ok(), ok(), ok())
    telnyx = CallControl(wire.client())

    dial_until_accepted(telnyx)
    telnyx.dial(dial(webhook_urls=URLS))
    telnyx.answer(LEG, AnswerRequest(command_id="a", webhook_urls=URLS))

    assert sent_forms(wire) == [f"list {ALL}", *[f"string {ALL}"] * 3]
    assert telnyx.webhook_form == "string"


def test_the_first_form_can_be_chosen_and_later_forms_follow_its_refusal() -> None:
    wire = Wire(refused("/webhook_urls/call.answered"), ok())
    telnyx = CallControl(wire.client(), "string")

    dial_until_accepted(telnyx)

    assert sent_forms(wire) == [f"string {ALL}", f"list {SURE}"]


def test_a_refusal_of_conversation_events_only_leaves_these_out() -> None:
    policies = {name: RetryPolicy(retries_ms=(500,)) for name in URLS}
    for pointer, detail in (
        ("/webhook_urls/call.conversation.created", ""),
        ("/webhook_urls", "'call.conversation.created' is not an event."),
    ):
        wire = Wire(refused(pointer, detail), ok(), ok())
        telnyx = CallControl(wire.client())

        dial_until_accepted(telnyx, webhook_retries_policies=policies)
        telnyx.answer(LEG, AnswerRequest(command_id="a", webhook_urls=URLS))

        left = set(URLS) - {"call.conversation.created"}
        assert sent_types(wire) == [set(URLS), left, left]
        assert set(bodies(wire)[1]["webhook_retries_policies"]) == left
        assert telnyx.webhook_form == "list"


def test_refusals_of_two_requests_at_once_skip_no_form() -> None:
    wire = Wire(refused(), refused())
    telnyx = CallControl(wire.client())
    urls = telnyx._webhook_urls
    error = errors.WebhookUrlsRefusedError(422, "90057", pointer="/webhook_urls")
    body = urls.shaped(dial(webhook_urls=URLS).body())

    urls.note_refusal(error, body, 0)
    urls.note_refusal(error, body, 0)

    assert telnyx.webhook_form == "string"


def test_a_refused_dial_without_event_types_is_raised() -> None:
    wire = Wire(refused())

    with pytest.raises(errors.WebhookUrlsRefusedError):
        CallControl(wire.client()).dial(dial())

    assert len(wire.requests) == 1


def test_a_retrieved_call_has_its_state_and_times() -> None:
    row = {
        "call_control_id": LEG,
        "is_alive": False,
        "call_duration": "61",
        "start_time": "2026-05-03T10:00:00Z",
        "end_time": "2026-05-03T12:01:01+02:00",
        "client_state": None,
        "record_type": "call",
    }
    wire = Wire(ok(row))

    call = CallControl(wire.client()).retrieve_call(LEG)

    assert wire.requests[0].url.raw_path == b"/v2/calls/v3%3A2EC-70_CTEj"
    assert (call.call_control_id, call.is_alive, call.call_duration) == (LEG, False, 61)


def page(name: str, after: str | None) -> httpx.Response:
    row = {"call_control_id": name, "client_state": "x"}
    meta = {"cursors": {"after": after}}
    return httpx.Response(200, json={"data": [row, "?"], "meta": meta})


def test_active_calls_are_read_page_by_page() -> None:
    wire = Wire(page("a", "p2"), page("b", "p3"), page("c", None))

    calls = CallControl(wire.client()).list_active_calls("28/11")

    assert [call.call_control_id for call in calls] == ["a", "b", "c"]
    assert wire.requests[0].url.raw_path.startswith(b"/v2/connections/28%2F11/active_calls?")
    after = [request.url.params.get("page[after]") for request in wire.requests]
    assert after == [None, "p2", "p3"]
    assert wire.requests[2].url.params["page[limit]"] == "250"


def test_active_calls_stop_at_the_page_limit_and_at_a_repeated_cursor() -> None:
    endless = Wire(*(page(str(number), str(number)) for number in range(9)))
    stuck = Wire(*(page(str(number), "same") for number in range(9)))

    assert len(CallControl(endless.client()).list_active_calls("1", limit_pages=3)) == 3
    assert len(CallControl(stuck.client()).list_active_calls("1")) == 2


@pytest.mark.parametrize("rows", [[], [{"call_control_id": "a"}]])
def test_a_list_whose_new_cursors_lead_to_no_further_call_is_not_complete(rows: Any) -> None:
    first = page("a", "p1")
    pages = [
        httpx.Response(200, json={"data": rows, "meta": {"cursors": {"after": f"p{nth}"}}})
        for nth in range(2, 9)
    ]
    wire = Wire(first, *pages)

    with pytest.raises(errors.NoResponseError):
        list(CallControl(wire.client()).active_call_pages("1"))
    assert len(wire.requests) <= 3


def test_conversations_of_other_legs_are_left_out() -> None:
    rows = [
        {"id": "mine", "created_at": "2026-05-03T10:00:00Z", "metadata": {"call_control_id": LEG}},
        {"id": "other", "metadata": {"call_control_id": "v3:other"}},
        {"id": "none", "metadata": None},
    ]
    wire = Wire(ok(rows))

    conversations = CallControl(wire.client()).list_ai_conversations(LEG)

    assert [conversation.id for conversation in conversations] == ["mine"]
    assert dict(wire.requests[0].url.params) == {
        "metadata->call_control_id": f"eq.{LEG}",
        "order": "created_at.desc",
        "limit": "2",
    }
    assert b"v3%3A" in wire.requests[0].url.query


def test_insights_are_read_for_each_run() -> None:
    result = {"insight_id": "i", "result": '{"mood": "good"}'}
    wire = Wire(ok([{"id": "r", "status": "completed", "conversation_insights": [result, 1]}]))

    [run] = CallControl(wire.client()).list_conversation_insights("conv")

    assert wire.requests[0].url.path == "/v2/ai/conversations/conv/conversations-insights"
    [insight] = run.insights
    assert (insight.insight_id, insight.result) == ("i", '{"mood": "good"}')


@pytest.mark.parametrize("answer", [httpx.Response(204), httpx.Response(200, json={"data": {}})])
def test_a_conversation_is_deleted_by_its_id(answer: httpx.Response) -> None:
    wire = Wire(answer)
    CallControl(wire.client()).delete_ai_conversation("conv/1")
    [request] = wire.requests
    assert (request.method, request.url.raw_path) == ("DELETE", b"/v2/ai/conversations/conv%2F1")
    assert request.content == b""


def test_a_deletion_whose_answer_has_no_body_is_proved_by_its_repetition() -> None:
    gone = {"detail": "Conversation Not Found"}
    wire = Wire(httpx.Response(200), httpx.Response(404, json=gone))
    with pytest.raises(errors.RefusedError) as refused:
        CallControl(wire.client()).delete_ai_conversation("conv")
    assert refused.value.status == 404
    assert [request.method for request in wire.requests] == ["DELETE", "DELETE"]


@pytest.mark.parametrize("call_control_id", ["", ".", ".."])
def test_an_id_that_would_change_the_path_is_not_sent(call_control_id: str) -> None:
    with pytest.raises(ValueError, match="dots"):
        CallControl(Wire().client()).retrieve_call(call_control_id)


def commands(kind: type[Command]) -> set[type[Command]]:
    return {kind}.union(*(commands(subclass) for subclass in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(commands(Command), key=str))
def test_every_command_needs_a_command_id(kind: type[Command]) -> None:
    for fields in ({}, {"command_id": ""}, {"command_id": None}):
        with pytest.raises(ValidationError) as caught:
            kind.model_validate(fields)
        assert ("command_id",) in {error["loc"] for error in caught.value.errors()}


@pytest.mark.parametrize(
    "bad",
    [
        {"timeout_secs": 4},
        {"timeout_secs": 601},
        {"time_limit_secs": 29},
        {"answering_machine_detection": "maybe"},
        {"assistant_id": "unknown field"},
    ],
    ids=str,
)
def test_a_dial_that_telnyx_would_refuse_is_invalid(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        dial(**bad)


@pytest.mark.parametrize("bad", ['"', "\\", "\n", "\x00", "\x7f", "\U0001f4de", ""], ids=ascii)
def test_a_hangup_reason_that_telnyx_would_refuse_is_invalid(bad: str) -> None:
    for text in {bad, f"Call {bad}" if bad else bad}:
        with pytest.raises(ValidationError):
            HangUpRequest(command_id="c", reason=text)
    assert HangUpRequest(command_id="c", reason="Anruf erledigt, größtenteils").reason


def test_voice_settings_without_a_voice_or_with_an_unknown_field_are_invalid() -> None:
    for fields in ({"voice_speed": 1.0}, {"voice": "Telnyx.Ultra.a", "type": "telnyx"}, {}):
        with pytest.raises(ValidationError):
            Assistant.model_validate({"id": "a", "voice_settings": fields})


def test_retries_messages_and_greetings_have_the_limits_of_telnyx() -> None:
    for delays in ((1,) * 6, (60_000, 1), (-1,)):
        with pytest.raises(ValidationError):
            RetryPolicy(retries_ms=delays)
    with pytest.raises(ValidationError):
        Message.model_validate({"role": "tool", "content": "not a role that we send"})
    with pytest.raises(ValidationError):
        Assistant(id="a", greeting="x" * 3001)

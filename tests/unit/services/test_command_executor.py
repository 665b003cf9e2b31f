"""Each command sends the right request, and each answer becomes the right result."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from partyline.domain.dial_policy import Destinations, DialPolicy
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.commands import Action, Command, Message
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID, Conversation
from partyline.domain.model.insight import Insight
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import HOST_ID, Participant
from partyline.domain.model.plan import Plan, Screening, VerdictWait, Words
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    CallUnknown,
    FormRefused,
    InsightsFound,
    NotFound,
    Refused,
    Result,
    Retryable,
    Succeeded,
)
from partyline.domain.model.statuses import Direction, OnHangup
from partyline.domain.model.timeouts import MAX_CALL_SECS
from partyline.services.command_executor import CommandExecutor
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.client_state import ClientState

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CALL = "v3:abc-DEF_1"
PATH = "/v2/calls/v3%3Aabc-DEF_1"
TYPES = [
    "call.initiated",
    "call.answered",
    "call.hangup",
    "call.machine.detection.ended",
    "call.machine.premium.detection.ended",
    "call.conversation.created",
    "call.conversation.ended",
    "call.conversation_insights.generated",
]
FIELDS = '{"conversation":"c-1","participant":"guest-1","leg":2'
STATE = base64.b64encode(f"{FIELDS}}}".encode()).decode()
ENVELOPE = {"command_id": "command-1", "client_state": STATE}
WEBHOOKS = {
    "webhook_url": "https://api.example.com/webhooks",
    "webhook_urls": {name: [f"https://api.example.com/webhooks/{name}"] for name in TYPES},
    "webhook_retries_policies": {
        name: {"retries_ms": [500, 1500, 4000, 5000, 30_000]} for name in TYPES
    },
}


def conversation(plan: Plan | None = None, **more: Any) -> Conversation:
    """A conversation with a guest whose second number is dialled."""
    common = {"from_": "+13125550100", "created_at": NOW}
    legs = [
        Leg(number=1, to="+13125550101", **common),
        Leg(number=2, to="+13125550102", call_control_id=CALL, ring_timeout_secs=20, **common),
    ]
    guest = Participant(
        id="guest-1", name="Bob", on_hangup=OnHangup.END, plan=plan, legs=legs, created_at=NOW
    )
    fields: dict[str, Any] = {
        "id": "c-1",
        "direction": Direction.OUTBOUND,
        "assistant": Assistant(id="assistant-1"),
        "telnyx_conversation_id": "telnyx-conversation-1",
        "connection_id": "149",
        "base_url": "https://api.example.com",
        "participants": [Participant(id=HOST_ID, host=True, created_at=NOW), guest],
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Conversation.model_validate({**fields, **more})


def command(action: Action, **more: Any) -> Command:
    target = {"participant_id": "guest-1", "leg": 2, **more}
    return Command(id="command-1", key="key", action=action, not_before=NOW, **target)


def execute(
    sent: Command,
    answer: Callable[[httpx.Request], httpx.Response] | httpx.Response | Exception | Any,
    about: Conversation | None = None,
    key: Callable[..., str] = lambda fresh=False: "KEY1",
) -> tuple[Result, list[httpx.Request]]:
    requests: list[httpx.Request] = []

    def telnyx(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            planned: httpx.Response = answer(request)
            return planned
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, content=answer.content)
        return httpx.Response(200, json={"data": answer})

    client = TelnyxClient(
        key,
        "http://127.0.0.1:9/v2",
        transport=httpx.MockTransport(telnyx),
        pause=lambda _: None,
    )
    executor = CommandExecutor(CallControl(client), DialPolicy(Destinations(("+1",))), lambda: NOW)
    return executor.execute(about or conversation(), sent), requests


def sent_request(requests: list[httpx.Request]) -> tuple[str, str, Any]:
    [request] = requests
    assert request.headers["authorization"] == "Bearer KEY1"
    path = request.url.raw_path.decode()
    return request.method, path, json.loads(request.content) if request.content else None


def test_a_dial_is_sent_with_the_plan_and_the_webhooks() -> None:
    plan = Plan(to=["+13125550101"], from_="+1", machine_detection="premium", time_limit_secs=600)
    ids = {"call_control_id": "v3:new", "call_leg_id": "leg-1", "call_session_id": "session-1"}
    result, requests = execute(command(Action.DIAL), ids, conversation(plan))
    assert result == Succeeded(**ids)
    assert sent_request(requests) == (
        "POST",
        "/v2/calls",
        {
            "connection_id": "149",
            "to": "+13125550102",
            "from": "+13125550100",
            "timeout_secs": 20,
            "time_limit_secs": 600,
            "answering_machine_detection": "premium",
            **WEBHOOKS,
            **ENVELOPE,
        },
    )


def test_a_dial_without_options_and_base_url_has_the_required_fields_and_a_limit() -> None:
    plan = Plan(to=["+13125550101"], from_="+1")
    _, requests = execute(command(Action.DIAL), {}, conversation(plan, base_url=None))
    assert set(sent_request(requests)[2]) == {
        "connection_id",
        "to",
        "from",
        "timeout_secs",
        "time_limit_secs",
        *ENVELOPE,
    }


def test_an_answer_is_sent_with_the_webhooks() -> None:
    result, requests = execute(command(Action.ANSWER), {"result": "ok"})
    assert result == Succeeded()
    assert sent_request(requests) == ("POST", f"{PATH}/actions/answer", {**WEBHOOKS, **ENVELOPE})


def test_an_answer_that_starts_the_assistant_names_the_assistant_and_its_settings() -> None:
    assistant = Assistant(id="assistant-1", greeting="Hello", dynamic_variables={"vip": True})
    about = conversation(assistant=assistant, start="with_answer")

    _, requests = execute(command(Action.ANSWER), {"result": "ok"}, about)

    settings = {"id": "assistant-1", "greeting": "Hello", "dynamic_variables": {"vip": True}}
    body = {"assistant": settings, **WEBHOOKS, **ENVELOPE}
    assert sent_request(requests) == ("POST", f"{PATH}/actions/answer", body)


@pytest.mark.parametrize(
    ("action", "path"), [(Action.HANG_UP, "hangup"), (Action.STOP, "ai_assistant_stop")]
)
def test_a_hangup_and_a_stop_are_sent_without_options(action: Action, path: str) -> None:
    result, requests = execute(command(action), {"result": "ok"})
    assert result == Succeeded()
    assert sent_request(requests) == ("POST", f"{PATH}/actions/{path}", ENVELOPE)


def test_a_start_has_every_setting_of_the_assistant() -> None:
    inside = {
        "id": "assistant-1",
        "name": "Polly",
        "greeting": "Hello.",
        "instructions": "Be kind.",
        "model": "openai/gpt-4o",
        "dynamic_variables": {"a": 1, "b": True},
        "tools": [{"type": "hangup", "hangup": {}}],
        "mcp_servers": [{"id": "mcp-1"}],
        "voice_settings": {"voice": "Telnyx.NaturalHD.astra", "voice_speed": 1.5},
        "transcription": {"model": "deepgram/nova-3"},
    }
    beside = {
        "interruption_settings": {"enable": False},
        "message_history": [{"role": "user", "content": "Hi."}],
        "send_message_history_updates": True,
    }
    assistant = Assistant.model_validate(inside | beside)
    result, requests = execute(
        command(Action.START), {"conversation_id": "t-1"}, conversation(assistant=assistant)
    )
    assert result == Succeeded(telnyx_conversation_id="t-1")
    path = f"{PATH}/actions/ai_assistant_start"
    assert sent_request(requests) == ("POST", path, {"assistant": inside, **beside, **ENVELOPE})


def test_a_start_has_no_unset_fields() -> None:
    result, requests = execute(command(Action.START), {"result": "ok"})
    assert result == Succeeded(telnyx_conversation_id=None)
    assert sent_request(requests)[2] == {"assistant": {"id": "assistant-1"}, **ENVELOPE}


def test_a_join_is_sent_with_the_participant() -> None:
    result, requests = execute(command(Action.JOIN), {"conversation_id": "t-1"})
    assert result == Succeeded()
    participant = {"id": CALL, "role": "user", "name": "Bob", "on_hangup": "end_conversation"}
    assert sent_request(requests) == (
        "POST",
        f"{PATH}/actions/ai_assistant_join",
        {"conversation_id": "telnyx-conversation-1", "participant": participant, **ENVELOPE},
    )


def test_messages_are_sent_in_order() -> None:
    messages = [Message(role="system", content="One."), Message(role="user", content="Two.")]
    result, requests = execute(command(Action.MESSAGE, messages=messages), {"result": "ok"})
    assert result == Succeeded()
    assert sent_request(requests) == (
        "POST",
        f"{PATH}/actions/ai_assistant_add_messages",
        {
            "messages": [
                {"role": "system", "content": "One."},
                {"role": "user", "content": "Two."},
            ],
            **ENVELOPE,
        },
    )


def test_a_batch_with_a_message_that_a_person_waits_for_triggers_a_response() -> None:
    joined = Message(role="system", content="Ann has joined.")
    failed = Message(role="system", content="Bob is busy.", trigger_response=True)
    _, requests = execute(command(Action.MESSAGE, messages=[joined, failed]), {"result": "ok"})
    body = sent_request(requests)[2]
    assert body["trigger_response"] is True
    assert body["messages"] == [
        {"role": "system", "content": "Ann has joined."},
        {"role": "system", "content": "Bob is busy."},
    ]


def test_a_screening_asks_for_a_key() -> None:
    screening = Screening(say="Press 1.", timeout_secs=12)
    plan = Plan(to=["+1"], from_="+1", screening=screening)
    result, requests = execute(command(Action.SCREEN), {}, conversation(plan))
    assert result == Succeeded()
    assert sent_request(requests) == (
        "POST",
        f"{PATH}/actions/gather_using_speak",
        {
            "payload": "Press 1.",
            "voice": "female",
            "language": "en-US",
            "minimum_digits": 1,
            "maximum_digits": 1,
            "maximum_tries": 1,
            "terminating_digit": "#",
            "timeout_millis": 12_000,
            **ENVELOPE,
            "client_state": base64.b64encode(f'{FIELDS},"prompt":"screen"}}'.encode()).decode(),
        },
    )


def test_no_dial_asks_for_a_longer_call_than_telnyx_allows() -> None:
    about = conversation(Plan(to=["+13125550101"], from_="+1"))
    about.limits.minutes = 240
    _, requests = execute(command(Action.DIAL), {}, about)
    assert sent_request(requests)[2]["time_limit_secs"] == MAX_CALL_SECS


@pytest.mark.parametrize(("accepts", "ends"), [("1", "#"), ("*", "#"), ("#", "*")])
def test_the_accepting_key_differs_from_the_terminating_key(accepts: str, ends: str) -> None:
    plan = Plan(to=["+1"], from_="+1", screening=Screening(say="Now.", accept_digit=accepts))
    _, requests = execute(command(Action.SCREEN), {}, conversation(plan))
    body = sent_request(requests)[2]
    assert body is not None
    assert body["terminating_digit"] == ends


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"is_alive": True, "call_duration": 0}, CallState(alive=True, answered=False)),
        ({"is_alive": False, "call_duration": 0}, CallState(alive=False, answered=False)),
        ({"is_alive": "false", "call_duration": 0}, CallState(alive=False, answered=False)),
        ({"is_alive": " FALSE ", "call_duration": 0}, CallState(alive=False, answered=False)),
        (
            {"is_alive": True, "call_duration": 5, "start_time": "2026-11-22T08:59:52Z"},
            CallState(alive=True, answered=True),
        ),
        (
            {
                "is_alive": False,
                "call_duration": 5,
                "start_time": "2026-11-22T08:59:50Z",
                "end_time": "2026-11-22T08:59:58Z",
            },
            CallState(alive=False, answered=True, ended=True),
        ),
        ({}, Retryable(had_no_effect=False, unanswered=True)),
        ({"is_alive": None}, Retryable(had_no_effect=False, unanswered=True)),
        ({"is_alive": 0}, Retryable(had_no_effect=False, unanswered=True)),
        (httpx.Response(200, text="<html>"), Retryable(had_no_effect=False, unanswered=True)),
        (
            httpx.Response(404, json={"errors": [{"code": "10005", "title": "x"}]}),
            CallUnknown(code="10005", message="x"),
        ),
    ],
)
def test_a_retrieved_call_gives_its_state(answer: Any, expected: Result) -> None:
    result, requests = execute(command(Action.LOOK), answer)
    assert result == expected
    asked = {sent_request([request])[1] for request in requests}
    unknown = {"/v2/connections/149/active_calls?page%5Blimit%5D=250"}
    assert asked == {PATH, *(unknown if isinstance(result, CallUnknown) else ())}


@pytest.mark.parametrize(
    "action", [Action.DIAL, Action.ANSWER, Action.HANG_UP, Action.START, Action.JOIN, Action.STOP]
)
def test_a_command_whose_answer_cannot_be_read_is_in_doubt_and_sent_under_its_one_id(
    action: Action,
) -> None:
    result, requests = execute(command(action), httpx.Response(200, text="<html>"))
    assert result == Retryable(had_no_effect=False, unanswered=True)
    assert len({json.loads(request.content)["command_id"] for request in requests}) == 1


@pytest.mark.parametrize("action", [Action.DIAL, Action.START])
def test_a_search_whose_answer_cannot_be_read_is_no_proof_that_a_command_had_no_effect(
    action: Action,
) -> None:
    page = httpx.Response(200, text="<html>")
    result, _ = execute(command(action, reconcile=True), page)
    assert result == Retryable(had_no_effect=False, unanswered=True)


def call_and_events(call: Any, *events: Any) -> Callable[[httpx.Request], httpx.Response]:
    """Telnyx with the state of a call, and with the webhooks of calls."""
    return lambda request: httpx.Response(
        200, json={"data": list(events) if "call_events" in request.url.path else call}
    )


ANSWERED = {"type": "webhook", "name": "call.answered", "call_leg_id": "leg-1"}
UNPROVEN = {
    "a duration that may count from the dial": {
        "call_duration": 6,
        "start_time": "2026-11-22T08:59:52Z",
    },
    "a duration without the time of the start": {"call_duration": 6},
    "no duration": {},
}


@pytest.mark.parametrize("state", UNPROVEN.values(), ids=UNPROVEN)
def test_only_the_webhooks_of_the_call_prove_an_answer_that_its_state_does_not(state: Any) -> None:
    about = conversation()
    about.participants[1].legs[1].call_leg_id = "leg-1"
    call = {"is_alive": True, **state}

    def answered(*events: Any) -> bool:
        result, requests = execute(command(Action.LOOK), call_and_events(call, *events), about)
        assert isinstance(result, CallState)
        assert requests[1].url.params["filter[type]"] == "webhook"
        assert requests[1].url.params["filter[leg_id]"] == "leg-1"
        return result.answered

    assert answered({**ANSWERED, "name": "call.initiated"}, ANSWERED)
    assert not answered({**ANSWERED, "name": "call.initiated"})
    assert not answered({**ANSWERED, "call_leg_id": "leg-of-another-call"})


@pytest.mark.parametrize("name", ["call_control_id", "call_leg_id"])
def test_the_end_of_another_call_is_no_end_of_this_call(name: str) -> None:
    ended = {"is_alive": False, "end_time": NOW.isoformat()}
    result, _ = execute(command(Action.LOOK), {**ended, name: "of another call"})
    assert isinstance(result, Retryable)
    result, _ = execute(command(Action.LOOK), {**ended, name: "other", "call_control_id": CALL})
    assert result == CallState(alive=False, answered=False, ended=True)


def test_no_duration_proves_nothing_after_the_ring_timeout() -> None:
    """Telnyx may count the duration only at the end of the call."""
    about = conversation()
    leg = about.participants[1].legs[1]
    leg.call_leg_id, leg.created_at = "leg-1", NOW - timedelta(seconds=20)
    look = command(Action.LOOK)
    look.claimed_at = NOW
    call = {"is_alive": True, "call_duration": 0}
    assert execute(look, call_and_events(call, ANSWERED), about)[0] == CallState(
        alive=True, answered=True
    )
    leg.created_at = NOW - timedelta(seconds=19)
    result, requests = execute(look, call_and_events(call, ANSWERED), about)
    assert result == CallState(alive=True, answered=False)
    assert len(requests) == 1


def test_a_list_of_webhooks_that_telnyx_refuses_proves_no_answer() -> None:
    def telnyx(request: httpx.Request) -> httpx.Response:
        if "call_events" in request.url.path:
            return httpx.Response(403, json={"errors": [{"code": "10010", "title": "No"}]})
        return httpx.Response(200, json={"data": {"is_alive": True, "call_duration": 6}})

    assert execute(command(Action.LOOK), telnyx)[0] == CallState(alive=True, answered=False)


@pytest.mark.parametrize("gather", [None, "hold", "screen"])
def test_a_call_whose_ids_have_changed_is_found_by_its_client_state(gather: str | None) -> None:
    ids: dict[str, Any] = {
        "call_control_id": "v3:new",
        "call_leg_id": "leg-9",
        "call_session_id": "s-9",
    }
    others = [
        {"call_control_id": "v3:other", "client_state": ClientState("c-1", "guest-1", 1).encode()},
        {"call_control_id": "v3:nobody", "client_state": None},
        {**ids, "client_state": ClientState("c-1", "guest-1", 2, gather).encode()},
    ]

    def telnyx(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("active_calls"):
            return httpx.Response(200, json={"data": others})
        if request.url.path.endswith("v3:new"):
            answered_before = (NOW - timedelta(seconds=30)).isoformat()
            call = {**ids, "is_alive": True, "call_duration": 3, "start_time": answered_before}
            return httpx.Response(200, json={"data": call})
        return no(404, "10005")

    look = command(Action.LOOK)
    look.claimed_at = NOW
    assert execute(look, telnyx)[0] == CallState(alive=True, answered=True, **ids)
    others.pop()
    assert isinstance(execute(look, telnyx)[0], CallUnknown)


def test_a_lost_dial_is_reconciled_by_client_state() -> None:
    ours = {"call_control_id": "v3:a", "call_leg_id": "leg-a", "client_state": STATE}
    rows = [{"call_control_id": "v3:b", "client_state": "b3RoZXI="}, {"client_state": STATE}]
    result, requests = execute(command(Action.DIAL, reconcile=True), [*rows, ours])
    assert result == Succeeded(call_control_id="v3:a", call_leg_id="leg-a")
    assert sent_request(requests)[:2] == (
        "GET",
        "/v2/connections/149/active_calls?page%5Blimit%5D=250",
    )
    assert execute(command(Action.DIAL, reconcile=True), rows)[0] == NotFound()


def test_a_lost_start_is_reconciled_by_call() -> None:
    rows = [
        {"id": "t-9", "metadata": {"call_control_id": "v3:other"}},
        {"id": None, "metadata": {"call_control_id": CALL}},
        {"id": "t-1", "metadata": {"call_control_id": CALL}},
    ]
    result, requests = execute(command(Action.START, reconcile=True), rows)
    assert result == Succeeded(telnyx_conversation_id="t-1")
    assert requests[0].url.params["metadata->call_control_id"] == f"eq.{CALL}"
    assert execute(command(Action.START, reconcile=True), rows[:1])[0] == NotFound()


@pytest.mark.parametrize("action", [Action.JOIN, Action.MESSAGE, Action.SCREEN])
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"type": "command", "metadata": {"command_id": "command-1"}}, Succeeded()),
        ({"type": "command", "metadata": {"raw": [{"id": "command-1"}]}}, Succeeded()),
        ({"type": "command", "metadata": {"command_id": "command-2"}}, NotFound()),
        ({"type": "webhook", "metadata": {"command_id": "command-1"}}, NotFound()),
        ({"type": "command", "metadata": None}, NotFound()),
    ],
)
def test_a_command_among_the_call_events_has_arrived(
    action: Action, row: dict[str, Any], expected: Result
) -> None:
    result, requests = execute(command(action, reconcile=True), [row])

    assert result == expected
    assert requests[0].url.path == "/v2/call_events"
    assert requests[0].url.params["filter[call_control_id]"] == CALL


def test_call_events_are_filtered_by_the_documented_id_of_the_leg_when_known() -> None:
    about = conversation()
    about.participants[1].legs[1].call_leg_id = "leg-2"

    _, requests = execute(command(Action.JOIN, reconcile=True), [], about)

    assert requests[0].url.params["filter[leg_id]"] == "leg-2"
    assert "filter[call_control_id]" not in requests[0].url.params


@pytest.mark.parametrize("status", [403, 404, 503])
def test_refused_call_events_prove_nothing(status: int) -> None:
    result, _ = execute(command(Action.JOIN, reconcile=True), httpx.Response(status))

    assert result == NotFound()


def test_insights_are_fetched_the_oldest_row_first() -> None:
    rows = [
        row("completed", 3, {"insight_id": "i-1", "result": "newer"}),
        row("pending", 2),
        row("completed", 1, {"result": "nameless"}, {"insight_id": "i-1", "result": "older"}),
        {"conversation_insights": [{"insight_id": "\u20ac" * 500, "result": "for no key"}]},
    ]
    fetch = command(Action.FETCH_INSIGHTS, participant_id=None, leg=None)
    result, requests = execute(fetch, rows)
    expected = [(None, "for no key"), (None, "nameless"), ("i-1", "older"), ("i-1", "newer")]
    run = "telnyx-conversation-1"
    insights = tuple(
        Insight(insight_id=id_, result=text, telnyx_conversation_id=run) for id_, text in expected
    )
    found = InsightsFound(insights=insights, telnyx_conversation_id=run, complete=False)
    assert result == found
    path = "/v2/ai/conversations/telnyx-conversation-1/conversations-insights"
    assert sent_request(requests) == ("GET", path, None)


def row(status: str, day: int, *insights: dict[str, str]) -> dict[str, Any]:
    """A row of a conversation's insights, made on a day of July."""
    created_at = f"2026-07-{day:02d}T12:00:00Z"
    return {"status": status, "created_at": created_at, "conversation_insights": list(insights)}


@pytest.mark.parametrize(
    ("statuses", "complete"),
    [
        ([], False),
        (["completed"], True),
        (["failed", "completed"], True),
        (["completed", "in_progress"], False),
        (["pending"], False),
        (["new word"], False),
    ],
)
def test_the_search_for_insights_is_over_when_every_row_is_done(
    statuses: list[str], complete: bool
) -> None:
    fetch = command(Action.FETCH_INSIGHTS, participant_id=None, leg=None)
    result, _ = execute(fetch, [row(status, 1) for status in statuses])
    run = "telnyx-conversation-1"
    assert result == InsightsFound(insights=(), telnyx_conversation_id=run, complete=complete)


def test_the_start_of_an_earlier_conversation_on_the_call_is_not_taken_for_ours() -> None:
    """The list of Telnyx's conversations has those of each life of the call."""
    start = command(Action.START, reconcile=True)
    owed_at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    start.owed_at = owed_at
    metadata = {"call_control_id": CALL}
    rows = [{"id": "t-1", "metadata": metadata, "created_at": "2026-07-01T11:59:00Z"}]
    assert execute(start, rows)[0] == NotFound()
    rows.insert(0, {"id": "t-2", "metadata": metadata, "created_at": "2026-07-01T12:00:00Z"})
    assert execute(start, rows)[0] == Succeeded(telnyx_conversation_id="t-2")


def test_the_search_finds_the_assistant_that_the_answer_started_before_the_search_was_owed() -> (
    None
):
    search = command(Action.START, reconcile=True)
    search.sent_at = datetime(2026, 7, 1, 12, tzinfo=UTC)  # when the answer was sent
    search.owed_at = search.sent_at + timedelta(seconds=11)
    rows = [
        {"id": "t-2", "metadata": {"call_control_id": CALL}, "created_at": "2026-07-01T12:00:01Z"}
    ]
    assert execute(search, rows)[0] == Succeeded(telnyx_conversation_id="t-2")


def test_insights_of_every_assistant_run_are_fetched() -> None:
    fetch = command(Action.FETCH_INSIGHTS, participant_id=None, leg=None)
    restarted = conversation(
        previous_telnyx_ids=["t-0", UNKNOWN_CONVERSATION_ID], telnyx_conversation_id="t-2"
    )
    _, requests = execute(fetch, [], restarted)
    assert [request.url.path for request in requests] == [
        f"/v2/ai/conversations/{run}/conversations-insights" for run in ("t-0", "t-2")
    ]


def test_a_run_whose_start_was_answered_without_an_id_is_looked_for_with_its_insights() -> None:
    fetch = command(Action.FETCH_INSIGHTS, participant_id=None, leg=None)
    start = command(Action.START, status="failed")
    nameless = conversation(telnyx_conversation_id=None, commands={start.key: start})
    result, requests = execute(fetch, [], nameless)
    assert result == InsightsFound(insights=(), complete=False)  # the list may be late
    assert [request.url.path for request in requests] == ["/v2/ai/conversations"]

    row = {"id": "t-1", "metadata": {"call_control_id": CALL}}
    result, _ = execute(fetch, [row], nameless)
    assert isinstance(result, InsightsFound)
    assert result.telnyx_conversation_id == "t-1"


def no(status: int, code: str, detail: str = "Because.") -> httpx.Response:
    return httpx.Response(
        status, json={"errors": [{"code": code, "title": "Title", "detail": detail}]}
    )


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (httpx.ConnectError("no"), Retryable(had_no_effect=True)),
        (httpx.ConnectTimeout("no"), Retryable(had_no_effect=True)),
        (no(429, "10011"), Retryable(had_no_effect=True, retry_after=0.0)),
        (no(422, "90034"), Retryable(had_no_effect=True)),
        (httpx.ReadTimeout("no"), Retryable(had_no_effect=False, unanswered=True)),
        (httpx.RemoteProtocolError("no"), Retryable(had_no_effect=False, unanswered=True)),
        (no(500, "10007"), Retryable(had_no_effect=False)),
        (no(503, "10007"), Retryable(had_no_effect=False)),
        (httpx.Response(502, text="<html>"), Retryable(had_no_effect=False)),
        (no(422, "90018"), CallEnded(code="90018", message="Because.")),
        (no(404, "10005"), Refused(code="10005", message="Because.")),
        (no(422, "90015"), CallUnknown(code="90015", message="Because.")),
        (no(422, "90061"), Succeeded()),
        (no(422, "10007"), Refused(code="10007", message="Because.", no_conversation=True)),
        (no(422, "10016"), Refused(code="10016", message="Because.")),
        (no(422, "10016", ""), Refused(code="10016", message="Title")),
        (no(401, "10009"), Refused(code="10009", message="Because.")),
        (no(403, "10010"), Refused(code="10010", message="Because.")),
        (
            no(403, "10010", "User channel limit exceeded D1"),
            Refused(code="10010", message="User channel limit exceeded D1", limit=True),
        ),
        (no(422, "90041"), Refused(code="90041", message="Because.", limit=True)),
        (httpx.Response(400, text="<html>"), Refused(code="400", message="Bad Request")),
        (httpx.Response(301), Refused(code="301", message="Moved Permanently")),
    ],
)
def test_each_answer_of_telnyx_has_its_result(answer: Any, result: Result) -> None:
    assert execute(command(Action.START), answer)[0] == result


def problems(*pointers: str, status: int = 422) -> httpx.Response:
    errors = [
        {"code": "10000", "title": "Bad", "detail": "No.", "source": {"pointer": pointer}}
        for pointer in pointers
    ]
    return httpx.Response(status, json={"errors": errors})


OPTIONAL = Assistant(
    id="a",
    greeting="Hello.",
    instructions="Be kind.",
    voice_settings={"voice": "Telnyx.Ultra.nobody"},
    message_history=[{"role": "user", "content": "Hi."}],
    interruption_settings={"enable": True},
)


@pytest.mark.parametrize(
    ("pointers", "changes"),
    [
        (["/message_history"], ("message_history",)),
        (["/message_history/0/content", "/message_history/1"], ("message_history",)),
        (["message_history"], ("message_history",)),
        (["/body/message_history", "#/data/greeting"], ("message_history", "assistant.greeting")),
        (["message_history[0].content"], ("message_history",)),
        (["assistant.voice_settings.voice"], ("assistant.voice_settings",)),
        (["/assistant/voice_settings/voice"], ("assistant.voice_settings",)),
        (["/voice_settings"], ("assistant.voice_settings",)),
        (["/greeting", "/interruption_settings"], ("assistant.greeting", "interruption_settings")),
        (["/assistant/instructions"], None),
        (["/message_history", "/assistant/id"], None),
        (["/message_history_x"], None),
        (["/assistant/transcription"], None),  # not sent
        ([""], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_start_refused_for_optional_fields_only_has_another_form(
    pointers: list[str], changes: tuple[str, ...] | None, status: int
) -> None:
    about = conversation(assistant=OPTIONAL)
    result, _ = execute(command(Action.START), problems(*pointers, status=status), about)
    if changes is None:
        assert isinstance(result, Refused)
    else:
        assert result == FormRefused(code="10000", message="No.", changes=changes)


def test_a_start_in_another_form_lacks_the_refused_fields() -> None:
    changes = ["message_history", "assistant.voice_settings"]
    start = command(Action.START, changes=changes)
    _, requests = execute(start, {}, conversation(assistant=OPTIONAL))
    body = sent_request(requests)[2]
    assert set(body) == {"assistant", "interruption_settings", *ENVELOPE}
    assert set(body["assistant"]) == {"id", "greeting", "instructions"}


def test_a_dial_refused_for_its_detection_config_only_is_sent_without_the_config() -> None:
    detection = "premium_ios_call_screening"
    about = conversation(Plan(to=["+1"], from_="+1", machine_detection=detection))
    refusal = problems("/answering_machine_detection_config/prompt_end_timeout_millis")
    result, _ = execute(command(Action.DIAL), refusal, about)
    changes = ("answering_machine_detection_config",)
    assert result == FormRefused(code="10000", message="No.", changes=changes)
    again = command(Action.DIAL, changes=list(changes))
    _, requests = execute(again, {"call_control_id": "v3:1"}, about)
    body = sent_request(requests)[2]
    assert "answering_machine_detection_config" not in body
    assert body["answering_machine_detection"] == "premium_ios_call_screening_detection"


def test_a_hangup_refused_for_its_reason_only_is_sent_without_the_reason() -> None:
    about = conversation()
    about.participants[1].accepted_leg = 1
    result, requests = execute(command(Action.HANG_UP), problems("/reason"), about)
    assert sent_request(requests)[2]["reason"]
    assert result == FormRefused(code="10000", message="No.", changes=("reason",))
    _, requests = execute(command(Action.HANG_UP, changes=["reason"]), {}, about)
    assert "reason" not in sent_request(requests)[2]


def test_before_another_form_an_earlier_start_in_doubt_is_looked_up() -> None:
    def answer_of(rows: list[dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
        return lambda request: (
            httpx.Response(200, json={"data": rows})
            if request.method == "GET"
            else problems("/message_history")
        )

    doubtful = command(Action.START, sent_at=NOW - timedelta(seconds=5))
    about = conversation(assistant=OPTIONAL)
    started = [{"id": "t-1", "metadata": {"call_control_id": CALL}}]
    found, requests = execute(doubtful, answer_of(started), about)
    assert found == Succeeded(telnyx_conversation_id="t-1")
    assert [request.method for request in requests] == ["POST", "GET"]
    assert isinstance(execute(doubtful, answer_of([]), about)[0], FormRefused)


def joining(**more: Any) -> tuple[Command, Conversation]:
    """A join of the guest, and a conversation with a host on the line."""
    about = conversation()
    leg = Leg(number=1, call_control_id="v3:host", created_at=NOW)
    about.host.legs, about.host.accepted_leg = [leg], 1
    return command(Action.JOIN, **more), about


@pytest.mark.parametrize(
    ("status", "code", "tried_on_the_other_leg"),
    [
        (422, "10015", True),
        (404, "10005", True),
        (400, "", True),
        (404, "10007", False),
        (422, "10007", False),
        (422, "90018", False),
        (403, "10010", False),
        (401, "10009", False),
        (500, "10007", False),
    ],
)
def test_a_join_refused_on_its_own_leg_has_another_form(
    status: int, code: str, tried_on_the_other_leg: bool
) -> None:
    result, _ = execute(joining()[0], no(status, code), joining()[1])
    assert isinstance(result, FormRefused) is tried_on_the_other_leg
    if isinstance(result, FormRefused):
        assert result.changes == ("assistant_leg",)


def test_a_join_on_the_assistants_leg_names_the_joining_leg() -> None:
    join, about = joining(changes=["assistant_leg"])
    result, requests = execute(join, {"conversation_id": "t-1"}, about)
    assert result == Succeeded()
    _, path, body = sent_request(requests)
    assert path == "/v2/calls/v3%3Ahost/actions/ai_assistant_join"
    assert body["participant"]["id"] == CALL
    state = json.loads(base64.b64decode(body["client_state"]))
    assert (state["participant"], state["leg"]) == (HOST_ID, 1)


@pytest.mark.parametrize("code", ["10015", "90018", "90015", "90061", "10007"])
def test_a_join_refused_on_the_assistants_leg_too_is_refused(code: str) -> None:
    join, about = joining(changes=["assistant_leg"])
    refused = Refused(code=code, message="Because.", no_conversation=code == "10007")
    assert execute(join, no(422, code), about)[0] == refused


@pytest.mark.parametrize(
    ("accepted", "answered_at", "reason"),
    [(1, None, "Call completed elsewhere"), (1, NOW, None), (2, None, None), (None, None, None)],
)
def test_a_hangup_of_a_call_that_was_completed_elsewhere_says_so(
    accepted: int | None, answered_at: datetime | None, reason: str | None
) -> None:
    about = conversation()
    about.participants[1].accepted_leg = accepted
    about.participants[1].legs[1].answered_at = answered_at
    _, requests = execute(command(Action.HANG_UP), {}, about)
    assert sent_request(requests)[2].get("reason") == reason


@pytest.mark.parametrize("action", [Action.DIAL, Action.ANSWER])
def test_refused_webhook_urls_ask_for_another_form(action: Action) -> None:
    refused = problems("/webhook_urls")
    expected = FormRefused(code="10000", message="No.", changes=("webhook_urls",))
    assert execute(command(action), refused)[0] == expected
    assert isinstance(execute(command(action), refused, conversation(base_url=None))[0], Refused)


@pytest.mark.parametrize(
    ("owned", "sent_before", "joined"),
    [(True, False, True), (True, True, True), (False, True, True), (False, False, False)],
)
def test_a_join_on_a_call_with_an_assistant_took_effect_if_the_assistant_can_be_ours(
    owned: bool, sent_before: bool, joined: bool
) -> None:
    about = conversation()
    about.participants[1].legs[1].owned = owned
    join = command(Action.JOIN, sent_at=NOW - timedelta(seconds=1) if sent_before else None)
    result, _ = execute(join, no(422, "90061"), about)
    assert result == (Succeeded() if joined else Refused(code="90061", message="Because."))


def test_a_plan_chooses_the_voice_and_the_language_of_its_screening() -> None:
    screening = Screening(say="Drücken Sie die 1.", voice="male", language="de-DE")
    plan = Plan(to=["+13125550102"], from_="+13125550100", screening=screening)
    _, [request] = execute(command(Action.SCREEN), {}, conversation(plan))

    body = json.loads(request.content)
    assert (body["voice"], body["language"]) == ("male", "de-DE")


def test_a_person_who_waits_for_a_verdict_hears_the_words_of_the_plan() -> None:
    wait = VerdictWait(secs=7, say="Un moment.", voice="male", language="fr-FR")
    plan = Plan(
        to=["+13125550102"],
        from_="+13125550100",
        machine_detection="premium",
        verdict_wait=wait,
    )
    result, [request] = execute(command(Action.HOLD), {}, conversation(plan))

    assert result == Succeeded()
    assert request.url.raw_path.decode() == f"{PATH}/actions/gather_using_speak"
    body = json.loads(request.content)
    assert (body["payload"], body["voice"], body["language"]) == ("Un moment.", "male", "fr-FR")
    assert (body["timeout_millis"], body["maximum_digits"]) == (7000, 1)
    assert base64.b64decode(body["client_state"]).endswith(b',"prompt":"hold"}')


@pytest.mark.parametrize(
    "action", [Action.HANG_UP, Action.STOP, Action.ANSWER, Action.MESSAGE, Action.SCREEN]
)
def test_a_call_that_telnyx_does_not_find_is_unknown_and_not_over(action: Action) -> None:
    screened = {"screening": Screening(say="Press 1.")}
    about = conversation(Plan(to=["+13125550102"], from_="+13125550100", **screened))
    sent = command(action, messages=[Message(role="system", content="Hello.")])
    assert execute(sent, no(404, "10005"), about)[0] == CallUnknown(
        code="10005", message="Because."
    )


@pytest.mark.parametrize("action", [Action.DIAL, Action.START])
def test_an_unreadable_list_is_no_proof_that_a_command_had_no_effect(action: Action) -> None:
    looked_for = command(action, reconcile=True)
    for answer in (httpx.Response(200, text="<html>"), httpx.Response(200, json={"data": None})):
        assert execute(looked_for, answer)[0] == Retryable(had_no_effect=False, unanswered=True)


def test_a_missing_key_is_refused_and_an_unreadable_key_is_retryable() -> None:
    def missing(fresh: bool = False) -> str:
        raise SecretMissingError("secret telnyx has no api_key")

    def away(fresh: bool = False) -> str:
        raise SecretUnreadableError("secret telnyx cannot be read")

    result, requests = execute(command(Action.START), {}, key=missing)
    assert isinstance(result, Refused)
    assert result.code == "no_api_key"
    assert execute(command(Action.START), {}, key=away) == (Retryable(had_no_effect=True), [])
    assert requests == []


def test_an_invalid_request_is_not_sent() -> None:
    about = conversation(assistant=Assistant(id="a", greeting="x" * 3001))
    result, requests = execute(command(Action.START), {}, about)
    assert result == Refused(code="invalid_request", message="Telnyx does not take this: greeting.")
    assert requests == []


def test_a_command_for_an_unknown_leg_is_refused() -> None:
    for target in ({"participant_id": "guest-9"}, {"leg": 9}, {"leg": None}):
        result, requests = execute(command(Action.JOIN, **target), {})
        assert isinstance(result, Refused)
        assert result.code == "unknown_leg"
        assert requests == []


def test_a_screening_without_a_question_is_not_sent() -> None:
    result, requests = execute(command(Action.SCREEN), {})
    assert isinstance(result, Refused)
    assert requests == []


def test_an_iphones_call_screening_is_detected_with_the_time_that_we_rely_on() -> None:
    detection = "premium_ios_call_screening"
    plan = Plan(to=["+13125550101"], from_="+1", machine_detection=detection)
    _, [request] = execute(command(Action.DIAL), {"call_control_id": CALL}, conversation(plan))
    sent = json.loads(request.content)
    assert sent["answering_machine_detection"] == f"{detection}_detection"
    assert sent["answering_machine_detection_config"] == {"prompt_end_timeout_millis": 5000}


OTHERS: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "a call of another session": ([{"call_control_id": "v3:x", "call_session_id": "s-2"}], False),
    "a call of this session": ([{"call_control_id": "v3:x", "call_session_id": "s-1"}], True),
    "the call itself": ([{"call_control_id": CALL, "call_session_id": "s-1"}], False),
    "no call": ([], False),
}


@pytest.mark.parametrize(("others", "transferred"), OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("ended", [False, True])
def test_a_call_whose_session_has_a_live_call_of_others_is_transferred(
    others: list[dict[str, Any]], transferred: bool, ended: bool
) -> None:
    about = conversation(telnyx_ended_at=NOW if ended else None)
    about.participants[1].legs[1].call_session_id = "s-1"
    about.participants[1].legs[1].bridged_at = None if ended else NOW
    about.participants[1].legs[1].answered_at = NOW
    asked: list[str] = []

    def telnyx(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        call = {"is_alive": True, "call_duration": 3}
        data: Any = others if request.url.path.endswith("active_calls") else call
        return httpx.Response(200, json={"data": data})

    result, _ = execute(command(Action.LOOK), telnyx, about)
    assert result == CallState(alive=True, answered=True, transferred=transferred)
    assert asked[1:] == ["/v2/connections/149/active_calls"]


def test_the_session_of_a_call_is_not_asked_for_while_the_assistant_runs() -> None:
    about = conversation()
    about.participants[1].legs[1].call_session_id = "s-1"
    about.participants[1].legs[1].answered_at = NOW
    result, requests = execute(command(Action.LOOK), {"is_alive": True, "call_duration": 3}, about)
    assert result == CallState(alive=True, answered=True)
    assert len(requests) == 1


def state_of(body: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(base64.b64decode(body["client_state"]))
    return state


def test_waiting_words_are_a_sentence_in_the_voice_of_the_plan() -> None:
    words = Words(say="Un moment.", voice="male", language="fr-FR")
    about = conversation(Plan(to=["+13125550102"], from_="+13125550100", waiting=words))
    said = command(Action.WAIT_WORDS)
    said.repeats = 2
    result, [request] = execute(said, {}, about)

    assert result == Succeeded()
    assert request.url.raw_path.decode() == f"{PATH}/actions/speak"
    body = json.loads(request.content)
    assert (body["payload"], body["voice"], body["language"]) == ("Un moment.", "male", "fr-FR")
    assert {"prompt": "wait_words", "repeat": 2}.items() <= state_of(body).items()


def test_waiting_words_may_be_an_audio_file_that_is_played_without_end() -> None:
    words = Words(audio_url="https://example.com/a.mp3")
    about = conversation(Plan(to=["+13125550102"], from_="+13125550100", waiting=words))
    _, [request] = execute(command(Action.WAIT_WORDS), {}, about)

    assert request.url.raw_path.decode() == f"{PATH}/actions/playback_start"
    body = json.loads(request.content)
    assert (body["audio_url"], body["loop"]) == ("https://example.com/a.mp3", "infinity")


def test_a_stop_of_the_words_stops_all_that_plays() -> None:
    _, [request] = execute(command(Action.STOP_WORDS), {})

    assert request.url.raw_path.decode() == f"{PATH}/actions/playback_stop"
    body = json.loads(request.content)
    assert body["stop"] == "all"
    assert "prompt" not in state_of(body)


def test_a_goodbye_takes_the_place_of_what_plays() -> None:
    goodbye = Words(say="Goodbye.")
    about = conversation(Plan(to=["+13125550102"], from_="+13125550100", goodbye=goodbye))
    _, [request] = execute(command(Action.GOODBYE), {}, about)

    assert request.url.raw_path.decode() == f"{PATH}/actions/speak"
    body = json.loads(request.content)
    assert (body["payload"], body["stop"]) == ("Goodbye.", "all")
    assert state_of(body)["prompt"] == "goodbye"


def test_a_goodbye_without_words_is_not_sent() -> None:
    result, requests = execute(command(Action.GOODBYE), {})

    assert isinstance(result, Refused)
    assert requests == []

"""Malicious and malformed input is refused or ignored, and never stored in part."""

import base64
import json
import re
from typing import Any

import pytest

from local.stack.memory_table import MemoryTable
from local.stack.webhook_fixtures import body_of
from partyline.entrypoints.api.json_body import MAX_BODY_BYTES
from partyline.store import keys
from partyline.telnyx.client_state import ClientState
from tests.support.lab import Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, LEE
from tests.support.security import assert_untouched, post, signed

START = json.dumps({"to": HOST})[:-1].encode()


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


BODIES: dict[str, tuple[bytes, int, str]] = {
    "over 256 KB": (START + b', "name": "' + b"x" * MAX_BODY_BYTES + b'"}', 413, ""),
    "over 256 KB of blanks": (START + b" " * MAX_BODY_BYTES + b"}", 413, ""),
    "a megabyte that is no JSON": (b"{" * 2**20, 413, ""),
    "deep": (START + b', "metadata": ' + deep(100) + b"}", 422, "metadata"),
    "deeper than Python's recursion limit": (
        START + b', "metadata": ' + deep(30_000) + b"}",
        422,
        "body",
    ),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, 422, "body"),
    "NUL": (START + rb', "name": "Ada\u0000"}', 422, "name"),
    "NUL in a name": (START + rb', "metadata": {"a\u0000": 1}}', 422, "metadata"),
    "NUL unescaped": (START + b', "name": "Ada\0"}', 422, "body"),
    "half a surrogate pair": (START + rb', "name": "\ud83d"}', 422, "name"),
    "the other half of a surrogate pair": (
        START + rb', "metadata": {"x": ["\udc00"]}}',
        422,
        "metadata.x.0",
    ),
    "a number as a string": (START + b', "ring_timeout_secs": "30"}', 422, "ring_timeout_secs"),
    "a string as a number": (b'{"to": 13125550111}', 422, "to"),
    "a boolean as a string": (START + b', "participants": [{"tell_assistant": "1"}]}', 422, "part"),
    "a number with a point": (START + b', "ring_timeout_secs": 30.0}', 422, "ring_timeout_secs"),
    "NaN": (START + b', "metadata": {"n": NaN}}', 422, "body"),
    "an infinite number": (START + b', "metadata": {"n": 1e999}}', 422, "metadata.n"),
    "a number of 5,000 digits": (START + b', "name": ' + b"9" * 5000 + b"}", 422, "body"),
    "a field twice": (START + b', "to": "+13125550112"}', 422, "body"),
    "a field twice, deep": (START + b', "metadata": {"a": {"b": 1, "b": 2}}}', 422, "body"),
    "a Python attribute": (START + b', "__class__": "x"}', 422, "__class__"),
    "another encoding": (json.dumps({"to": HOST}).encode("utf-16"), 422, "body"),
    "no UTF-8": (b"\xff\xfe\xfd", 422, "body"),
    "two documents": (START + b"}{}", 422, "body"),
    "digits after the number": (b'{"to": "+13125550111,1234#"}', 422, "to"),
    "a pause and digits": (b'{"to": "+13125550111w1"}', 422, "to"),
    "a SIP address": (b'{"to": "sip:robin@example.com"}', 422, "to"),
    "a SIP address in capitals": (b'{"to": "SIP:+13125550111"}', 422, "to"),
    "a SIP address without its scheme": (b'{"to": "+13125550111@example.com"}', 422, "to"),
    "a secure SIP address": (b'{"to": "sip:+13125550111@example.com;secure=srtp"}', 422, "to"),
    "several numbers in one string": (b'{"to": "+13125550111;+13125550112"}', 422, "to"),
    "a line break": (rb'{"to": "+13125550111\n"}', 422, "to"),
    "a destination that is not allowed": (b'{"to": "+442071234567"}', 422, "to"),
    "from a SIP address": (START + b', "from": "sip:robin@example.com"}', 422, "from"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_an_invalid_body_starts_no_conversation(new_lab: NewLab, kind: str) -> None:
    body, status, field = BODIES[kind]
    lab = new_lab()
    for content_type in ("application/json", "application/octet-stream"):
        answer = lab.ask("POST", "/conversations", body, content_type=content_type)
        assert answer.status == status, answer.json
        error = answer.json["error"]
        fields = [detail["field"] for detail in error["details"]]
        assert all(name.startswith(field) for name in fields)
        assert bool(fields) is bool(field)
        assert len(answer.body) < 5_000
    assert_untouched(lab)


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("+13125550112,1234", "digits after the number"),
        ("+13125550112,,9", "digits after the number"),
        ("sip:robin@example.com", "a SIP address"),
        ("SIPS:+13125550112", "a SIP address"),
        ("+13125550112@example.com", "a SIP address"),
        ("13125550112", "E.164"),
    ],
)
def test_a_destination_more_expensive_than_a_call_is_refused_with_its_reason(
    new_lab: NewLab, to: str, why: str
) -> None:
    lab = new_lab()
    for body in ({"to": to}, {"to": HOST, "participants": [{"to": [DANA, to]}]}):
        answer = lab.ask("POST", "/conversations", body)
        assert answer.status == 422
        assert why in answer.json["error"]["details"][0]["message"]
    assert_untouched(lab)


def test_an_invitation_with_a_destination_that_is_not_allowed_calls_no_number(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    path = f"/conversations/{lab.start()}/participants"
    answer = lab.ask("POST", path, {"to": [DANA, "+442071234567"]})
    assert (answer.status, answer.json["error"]["code"]) == (422, "destination_not_allowed")
    assert lab.people_dialled() == ["host"]


TEXT_FIELDS: list[tuple[str, str, bytes]] = [
    ("POST", "/conversations/{id}/participants", b'{"to": "+13125550112", "name": "%s"}'),
    ("POST", "/conversations/{id}/messages", b'{"role": "system", "content": "%s"}'),
    ("POST", "/conversations/{id}/stop", b'{"hang_up": "%s"}'),
    ("PUT", "/routes/+13125550100", b'{"assistant": {"id": "a", "greeting": "%s"}}'),
    ("PUT", "/do-not-call/+13125550112", b'{"reason": "%s"}'),
]


@pytest.mark.parametrize(
    ("method", "path", "body"), TEXT_FIELDS, ids=[path for _, path, _ in TEXT_FIELDS]
)
def test_an_invalid_text_changes_no_stored_item(
    new_lab: NewLab, method: str, path: str, body: bytes
) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    before, stored = lab.conversation(conversation_id), sorted(lab.table.keys())
    for text, status in ((rb"\u0000", 422), (rb"\ud800", 422), (b"x" * MAX_BODY_BYTES, 413)):
        answer = lab.ask(method, path.format(id=conversation_id), body % text)
        assert answer.status == status
    twice = body[:-1] + b", " + body[1:]
    assert lab.ask(method, path.format(id=conversation_id), twice % (b"a", b"b")).status == 422
    assert lab.conversation(conversation_id) == before
    assert sorted(lab.table.keys()) == stored


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.fixture
def pages(new_lab: NewLab) -> tuple[Lab, str]:
    """A lab with three conversations, and the cursor of the first page of active conversations."""
    lab = new_lab()
    for _ in range(3):
        lab.start()
        lab.run(5)
    page = lab.ask("GET", "/conversations?status=active&limit=1").json
    return lab, page["next_cursor"]


def test_a_cursor_is_valid_for_its_own_list_only(pages: tuple[Lab, str]) -> None:
    lab, active = pages
    assert lab.ask("GET", f"/conversations?status=active&cursor={active}").status == 200
    every = lab.ask("GET", "/conversations?limit=1").json["next_cursor"]
    moment = base64.urlsafe_b64decode(active).decode().partition("|")[2]
    for query in (
        f"cursor={active}",
        f"status=ended&cursor={active}",
        f"status=active&cursor={every}",
        f"status=active&cursor={active}{active}",
        f"status=active&cursor={cursor('active|')}",
        f"status=active&cursor={cursor('active|' + moment + '#')}",
        f"status=active&cursor={cursor('active|' + 'x' * 100)}",
        f"status=active&cursor={'A' * 100_000}",
        "status=active&cursor=%00",
        "status=active&cursor=%ED%A0%80",
        "status=active&cursor=",
    ):
        answer = lab.ask("GET", f"/conversations?{query}")
        assert answer.status == 422, query
        assert answer.json["error"]["details"][0]["field"] == "cursor", query


@pytest.mark.parametrize(
    "cursor", ["+1312", "default,default", "x" * 5000, "%00", "+13125550100,1"]
)
def test_a_cursor_for_routes_must_be_a_number(new_lab: NewLab, cursor: str) -> None:
    lab = new_lab()
    assert lab.ask("GET", f"/routes?cursor={cursor}").status == 422


# Signed but malformed webhooks get 400, or 200 without an effect


def deliver(lab: Lab, body: bytes, path: str = "/webhooks") -> int:
    return post(lab, body, signed(body, int(lab.clock.now().timestamp())), path)


def event(payload: str, event_type: str = "call.initiated") -> bytes:
    return b'{"data":{"event_type":"%s","id":"e-1","payload":%s}}' % (
        event_type.encode(),
        payload.encode("utf-8", "surrogatepass"),
    )


INCOMING = '{"direction":"incoming","call_control_id":"v3:abcdef","to":"+13125550100",%s}'

WEBHOOKS = {
    "deep": event(INCOMING % f'"x":{deep(500).decode()}'),
    "deeper than Python's recursion limit": deep(100_000),
    "NUL in the id": event('{"direction":"incoming","call_control_id":"v3:\\u0000","to":"+1"}'),
    "half a surrogate pair in the id": event(
        '{"direction":"incoming","call_control_id":"\\ud800"}'
    ),
    "half a surrogate pair unescaped": event('{"direction":"incoming","call_control_id":"\ud800"}'),
    "an id of 300,000 characters": event(
        '{"direction":"incoming","call_control_id":"%s"}' % ("x" * 300_000)
    ),
    "an empty id": event('{"direction":"incoming","call_control_id":"","call_leg_id":""}'),
    "an id too long for a key": event(INCOMING.replace("v3:abcdef", "\U0001f600" * 512) % '"x":1'),
    "a leg too long for a key": event('{"call_leg_id":"%s"}' % ("\U0001f600" * 512), "call.hangup"),
    "a number too long for a key": event(
        INCOMING.replace("+13125550100", "\U0001f600" * 512) % '"x":1'
    ),
    "a number for an id": event('{"direction":"incoming","call_control_id":7}'),
    "a list for a payload": event("[]"),
    "a field twice": b'{"data":{"event_type":"call.hangup"},"data":{"event_type":"call.answered"}}',
    "an event of another version": b'{"event_type":"call_initiated","payload":{}}',
}


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_a_malformed_webhook_causes_no_error_and_stores_nothing(new_lab: NewLab, kind: str) -> None:
    lab = new_lab(DefaultAssistantId="")
    assert deliver(lab, WEBHOOKS[kind]) in (200, 400)
    assert_untouched(lab)


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_with_a_default_assistant_a_malformed_webhook_stores_either_a_whole_call_or_nothing(
    new_lab: NewLab, kind: str
) -> None:
    lab = new_lab()
    status = deliver(lab, WEBHOOKS[kind])
    states = [key for key in lab.table.keys() if key[1] == "STATE"]  # noqa: SIM118 - no mapping
    answers = [entry for entry in lab.telnyx.ledger if entry.action == "answer"]
    assert len(states) == len(answers) <= 1
    # The simulated Telnyx does not know the call, so the webhook is to come again.
    assert status in ((503,) if answers else (200, 400))


@pytest.mark.parametrize("odd", ["\u20ac" * 500, "x" * 3000, "", None, "\0"])
def test_an_insight_with_an_invalid_id_is_kept_under_a_name_of_ours(
    new_lab: NewLab, odd: Any
) -> None:
    """The insight's id becomes part of a DynamoDB sort key, which has at most 1,024 bytes."""
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    results = [{"insight_id": odd, "result": "Odd."}, {"insight_id": "i-1", "result": "Kept."}]
    payload = {"call_control_id": lab.leg(HOST).call_control_id, "results": results}
    assert deliver(lab, event(json.dumps(payload), "call.conversation_insights.generated")) == 200
    insights = lab.conversation(conversation_id)["insights"]
    assert [insight["result"] for insight in insights] == ["Odd.", "Kept."]
    unnamed, named = (insight["insight_id"] for insight in insights)
    assert re.fullmatch("unnamed-[0-9a-f]{12}", unnamed)
    assert named == "i-1"


@pytest.mark.parametrize("event_id", ["x" * 3000, "a#b", "\0", "é", "", "../STATE", None, 7])
def test_an_event_is_recognised_by_any_id(new_lab: NewLab, event_id: Any) -> None:
    """The event's id becomes part of a DynamoDB sort key, which has at most 1,024 bytes."""
    lab = new_lab()
    data = json.loads(body_of("call.initiated")[1])
    data["data"]["id"] = event_id
    body = json.dumps(data).encode()
    # The simulated Telnyx does not know the call, so Telnyx is to send the webhook again.
    assert deliver(lab, body) == 503
    stored, requests = sorted(lab.table.keys()), len(lab.telnyx.ledger)
    actions = [entry.action for entry in lab.telnyx.ledger]
    assert actions == ["answer", "retrieve", "active_calls"]
    assert all(re.fullmatch(r"[A-Z]+(#[\w-]{1,64}){0,2}", sk, re.ASCII) for _, sk in stored)
    assert deliver(lab, body) == 503
    assert (sorted(lab.table.keys()), len(lab.telnyx.ledger)) == (stored, requests)


@pytest.mark.parametrize(
    "conversation_id", ["x" * 65, "x" * 3000, "é", "a#b", "a b", "CONVERSATION#1"]
)
def test_an_invalid_conversation_id_is_never_looked_up(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch, conversation_id: str
) -> None:
    lab = new_lab()
    for operation in ("get_item", "query", "transact_write_items"):
        monkeypatch.delattr(MemoryTable, operation)
    path = f"/conversations/{conversation_id}"
    for method, tail in (("GET", ""), ("GET", "/timeline"), ("POST", "/stop"), ("DELETE", "")):
        assert lab.ask(method, path + tail).status == 404


def hangup_with_client_state(state: str) -> bytes:
    return body_of("call.hangup", new=[f"payload.client_state={state}"])[1]


def rows_of_calls(lab: Lab) -> list[tuple[str, str]]:
    """All rows but those that a poll of a call of ours leaves: its step, marks of duplicates."""
    marks = ("DEDUPE", "STEP")
    return sorted(key for key in lab.table.keys() if not key[1].startswith(marks))  # noqa: SIM118 - no mapping


def test_a_copied_client_state_changes_no_conversation(new_lab: NewLab) -> None:
    """A client_state is a hint and no proof: another call's hangup must end no conversation."""
    lab = new_lab()
    conversation_id = lab.start(participants=[{"to": DANA}])
    other_id = lab.start(to=LEE)
    lab.run(5)
    before = [lab.timeline(known_id) for known_id in (conversation_id, other_id)]
    stored = rows_of_calls(lab)
    for conversation in (conversation_id, other_id, "unknown", "-", "x" * 64):
        for participant, leg in (("host", 1), ("host", 2), ("host", 99), ("unknown", 1)):
            state = ClientState(conversation=conversation, participant=participant, leg=leg)
            assert deliver(lab, hangup_with_client_state(state.encode())) == 200
    for text in ("AAAA", "e30=", "bm90IEpTT04=", "====", "é", base64.b64encode(b"[]").decode()):
        assert deliver(lab, hangup_with_client_state(text)) == 200
    assert [lab.timeline(known_id) for known_id in (conversation_id, other_id)] == before
    assert rows_of_calls(lab) == stored


def test_the_call_id_counts_more_than_a_client_state_of_another_conversation(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    conversation_id, other_id = lab.start(), lab.start(to=LEE)
    lab.run(5)
    ours, theirs = lab.leg(HOST), lab.leg(LEE)
    before = lab.conversation(other_id)
    body = body_of(
        "call.hangup",
        [f"payload.call_control_id={ours.call_control_id}"],
        [f"payload.client_state={theirs.client_state}"],
    )[1]
    assert deliver(lab, body) == 200
    assert lab.conversation(other_id) == before
    assert lab.person(conversation_id, "host")["status"] == "left"


def test_a_stored_pointer_without_its_leg_changes_no_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    pk, sk = keys.call("v3:another-call")
    row = {"pk": {"S": pk}, "sk": {"S": sk}, "conversation_id": {"S": conversation_id}}
    lab.app._table_client.put_item(TableName=lab.app.settings.table_name, Item=row)
    before, stored = lab.conversation(conversation_id), sorted(lab.table.keys())
    body = body_of("call.hangup", ["payload.call_control_id=v3:another-call"])[1]
    assert deliver(lab, body) == 200
    assert lab.conversation(conversation_id) == before
    assert sorted(lab.table.keys()) == stored


TOOLS: list[Any] = [b"", b"[]", b"null", b"{", deep(50_000), b'{"name": {"a": 1}}', b"\xff"]


@pytest.mark.parametrize("body", TOOLS, ids=range(len(TOOLS)))
def test_a_tool_request_with_any_body_is_answered(new_lab: NewLab, body: bytes) -> None:
    lab = new_lab()
    lab.ring_in(CALLER)
    lab.run(5)
    before = sorted(lab.table.keys())
    headers = signed(body, int(lab.clock.now().timestamp()))
    headers["x-telnyx-call-control-id"] = lab.leg(CALLER).call_control_id
    assert post(lab, body, headers, "/tools/invite") == 200
    assert sorted(lab.table.keys()) == before

"""Inline tools of a request: allowed types, secrets, our own host, and masked headers."""

from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.model.assistant import OUR_TOOLS
from partyline.services.assistant_settings import TOOL_TYPES
from tests.support.lab import URL, Answer, Lab, NewLab
from tests.support.people import DANA, HOST, OUR_NUMBER
from tests.support.security import assert_untouched

SECRET = "Bearer {{#integration_secret}}crm_key{{/integration_secret}}"
HANGUP = {"type": "hangup", "hangup": {}}
WAYS = ["start", "book", "route"]


def webhook(url: str = "https://crm.example/look-up", **more: Any) -> dict[str, Any]:
    """A webhook tool."""
    return {"type": "webhook", "webhook": {"name": "crm", "description": "d", "url": url, **more}}


def headers(value: str, name: str = "Authorization") -> list[dict[str, str]]:
    """The headers of a tool."""
    return [{"name": name, "value": value}]


def give(lab: Lab, way: str, **settings: Any) -> Answer:
    """Give an assistant settings: by a start, by a later start, or by a route."""
    assistant = {"id": "assistant-1", **settings}
    if way == "route":
        return lab.ask("PUT", f"/routes/{OUR_NUMBER}", {"assistant": assistant})
    at = (lab.clock.now() + timedelta(hours=1)).isoformat()
    later = {"start_at": at} if way == "book" else {}
    return lab.ask("POST", "/conversations", {"to": HOST, "assistant": assistant, **later})


def assert_names(answer: Answer, field: str) -> None:
    """The answer refuses a field of the assistant."""
    assert answer.status == 422, answer.json
    [detail] = answer.json["error"]["details"]
    assert f"{detail['field']}.".startswith(f"assistant.{field}.")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "tool",
    [
        *({"type": kind} for kind in ("transfer", "Transfer", " transfer ", "TRANSFER", "invite")),
        *({"type": kind} for kind in ("refer", "handoff", "send_message", "send_dtmf", "function")),
        *({"type": kind} for kind in ("Webhook", " webhook", None, 1, ["webhook"], "")),
        {},
        {"transfer": {}},
        {"type": "hangup", "hangup": {}, "transfer": {"targets": []}},
        {"type": "webhook", "webhook": {"url": "https://crm.example"}, " Transfer ": {}},
    ],
)
def test_a_tool_of_another_type_is_refused_in_any_spelling(
    new_lab: NewLab, way: str, tool: dict[str, Any]
) -> None:
    lab = new_lab()
    assert_names(give(lab, way, tools=[HANGUP, tool]), "tools")
    assert_untouched(lab)


@pytest.mark.parametrize("way", ["start", "route"])
def test_the_allowed_tools_are_accepted(new_lab: NewLab, way: str) -> None:
    lab = new_lab(IntegrationSecrets="on")
    calendar = {"api_key_ref": "cal", "event_type_id": 1}
    tools = [
        webhook("https://crm.example/{id}?a={{telnyx_call_from}}"),
        {"type": "hangup", "hangup": {"description": "Ends."}},
        {"type": "retrieval", "retrieval": {"bucket_ids": ["b"]}},
        {"type": "book_appointment", "book_appointment": calendar},
        {"type": "check_availability", "check_availability": calendar},
    ]
    servers = [{"id": "mcp-1", "allowed_tools": ["look_up"]}]
    answer = give(lab, way, tools=tools, mcp_servers=servers)
    assert answer.status in (200, 202), answer.json
    assert answer.json["assistant"]["tools"] == tools


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [webhook(headers=headers(SECRET))]),
        ("tools", [webhook(headers=headers(SECRET.replace("{{#", "{{ # ").upper()))]),
        ("tools", [webhook(headers=headers("v", SECRET))]),
        ("tools", [webhook(f"https://crm.example/?k={SECRET.replace(' ', '')}")]),
        ("tools", [webhook(body_parameters={"properties": {"k": {"default": SECRET}}})]),
        ("tools", [{"type": "book_appointment", "book_appointment": {"api_key_ref": "cal"}}]),
        ("tools", [{"type": "retrieval", "retrieval": {" API_KEY_REF ": "cal"}}]),
        ("dynamic_variables", {"key": SECRET}),
        ("instructions", f"Say {SECRET}"),
        ("greeting", SECRET),
        ("message_history", [{"role": "user", "content": SECRET}]),
        ("voice_settings", {"voice": "ElevenLabs.x", "api_key_ref": "elevenlabs"}),
    ],
)
def test_integration_secrets_are_refused_unless_the_parameter_allows_them(
    new_lab: NewLab, way: str, field: str, value: Any
) -> None:
    lab = new_lab()
    assert_names(give(lab, way, **{field: value}), field)
    assert_untouched(lab)


SPOKEN = {"say": SECRET}


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("name", {"name": "{{#integration_secret}}k"}),
        ("words.joined", {"words": {"joined": f"{{name}} {SECRET}"}}),
        ("verdict_wait.say", {"verdict_wait": {"secs": 5, **SPOKEN}}),
        ("verdict_wait.voice", {"verdict_wait": {"secs": 5, "say": "Wait.", "voice": SECRET}}),
        ("participants.0.screening.say", {"participants": [{"to": DANA, "screening": SPOKEN}]}),
        (
            "participants.0.name",
            {"participants": [{"to": DANA, "name": "{{&integration_secret}}"}]},
        ),
    ],
)
def test_every_text_of_a_start_that_telnyx_gets_is_checked_for_secrets(
    new_lab: NewLab, field: str, body: dict[str, Any]
) -> None:
    lab = new_lab()
    at = (lab.clock.now() + timedelta(hours=1)).isoformat()
    for start in ({"to": HOST, **body}, {"to": HOST, "start_at": at, **body}):
        answer = lab.ask("POST", "/conversations", start)
        assert answer.status == 422, answer.json
        assert field in {detail["field"] for detail in answer.json["error"]["details"]}
    assert_untouched(lab)


def test_messages_invitations_and_routes_are_checked_for_secrets(new_lab: NewLab) -> None:
    lab = new_lab()
    contacts = {"Dana": {"to": DANA, "screening": SPOKEN}}
    route = {"assistant": {"id": "assistant-1"}, "contacts": contacts}
    refused = lab.ask("PUT", f"/routes/{OUR_NUMBER}", route)
    assert refused.status == 422, refused.json
    conversation_id = lab.start(metadata={"secret_ref": SECRET})
    lab.run(5)
    asked = len(lab.telnyx.ledger)
    path = f"/conversations/{conversation_id}"
    for part, body in (
        ("messages", {"role": "system", "content": SECRET}),
        ("participants", {"to": DANA, "screening": SPOKEN}),
    ):
        assert lab.ask("POST", f"{path}/{part}", body).status == 422
    assert len(lab.telnyx.ledger) == asked


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example/look-up",
        *(f"https://{host}/" for host in ("10.0.0.1", "169.254.169.254.", "167772161", "127.1")),
        *(f"https://{host}/" for host in ("0x0a000001", "0XA.0.0.1", "012.0.0.1", "1.2.3.0x4")),
        *(f"https://{host}/" for host in ("[::1]", "[::ffff:10.0.0.1]", "[fd00::1]:443")),
        "https://user:word@crm.example/",
        "https://user@crm.example/",
    ],
)
def test_a_tool_has_an_https_url_with_a_name_and_no_user(new_lab: NewLab, url: str) -> None:
    """Also when the operator names the host: an address can be of the network of a provider."""
    named = ("crm.example", "10.0.0.1", "169.254.169.254", "167772161", "127.1", "0x0a000001")
    hosts = [*named, "0xa.0.0.1", "012.0.0.1", "1.2.3.0x4"]
    lab = new_lab(AllowedToolHosts=",".join(hosts))
    assert_names(give(lab, "start", tools=[webhook(url)]), "tools")
    assert_untouched(lab)


def test_with_the_parameter_a_secret_reaches_telnyx(new_lab: NewLab) -> None:
    lab = new_lab(IntegrationSecrets="on")
    tools = [webhook(headers=headers(SECRET))]
    assert give(lab, "start", tools=tools).status == 202
    lab.run(5)
    [started] = lab.commands("ai_assistant_start")
    assert started["assistant"]["tools"] == tools


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "url",
    [
        f"{URL}/webhooks",
        f"{URL}/webhooks/call.hangup",
        f"{URL}/failover",
        f"{URL}/conversations",
        f"{URL}/tools/invite/",
        f"{URL}/tools/invite?x=1",
        f"{URL}/tools/../webhooks",
        f"{URL}/tools/%69nvite",
        f"{URL}/{{path}}",
        URL,
        URL.upper() + "/webhooks",
        URL + ".:443/webhooks",
        "http://partyline.example/webhooks",
        "https://telnyx.example/webhooks",  # PublicBaseUrl
        "https://{{host}}/webhooks",
        "https://partyline{x}.example/webhooks",
        "https://a@partyline.example/webhooks",
        "https://partyline.example\\@crm.example/",
        "https://crm.example /",
        " https://crm.example/",
        "https://party\tline.example/webhooks",
        "https://[::1/webhooks",
        "https://\uff50artyline.example/webhooks",
        "https://partyline\u3002example/webhooks",
        "ftp://crm.example/",
        "//partyline.example/webhooks",
        "",
    ],
)
def test_a_tool_may_not_call_our_own_host(new_lab: NewLab, way: str, url: str) -> None:
    lab = new_lab(PublicBaseUrl="https://telnyx.example")
    assert_names(give(lab, way, tools=[webhook(url)]), "tools")
    assert_untouched(lab)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hosts", ["", "crm.example.com,rm.example,example"])
def test_a_tool_may_not_call_a_host_that_no_parameter_names(
    new_lab: NewLab, way: str, hosts: str
) -> None:
    """Telnyx signs the request of a tool: its receiver could send the body on to our webhooks."""
    lab = new_lab(AllowedToolHosts=hosts)
    assert_names(give(lab, way, tools=[webhook()]), "tools")
    assert_untouched(lab)


@pytest.mark.parametrize("way", ["start", "route"])
def test_a_tool_may_call_our_own_tools(new_lab: NewLab, way: str) -> None:
    lab = new_lab()
    tools = [webhook(f"{URL}/tools/{name}") for name in OUR_TOOLS]
    answer = give(lab, way, tools=tools)
    assert answer.status in (200, 202)
    assert answer.json.get("warnings", []) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("settings", [None, [], "", "https://crm.example", 1, True, ...])
@pytest.mark.parametrize("kind", TOOL_TYPES)
def test_a_tool_needs_the_settings_of_its_type(
    new_lab: NewLab, way: str, kind: str, settings: object
) -> None:
    lab = new_lab(IntegrationSecrets="on")
    tool = {"type": kind} | ({} if settings is ... else {kind: settings})
    assert_names(give(lab, way, tools=[HANGUP, tool]), f"tools.1.{kind}")
    assert_untouched(lab)


@pytest.mark.parametrize(
    "name",
    [
        *("X-Telnyx-Call-Control-Id", " telnyx-timestamp", "telnyx-x", "X_Telnyx_Timestamp"),
        *("Host", "Content-Length", "transfer-encoding", "Connection"),
    ],
)
def test_a_tool_may_not_set_the_headers_of_telnyx_and_of_http(new_lab: NewLab, name: str) -> None:
    for given in (headers("v", name), {name: "v"}):
        answer = give(new_lab(), "start", tools=[webhook(headers=given)])
        assert_names(answer, "tools.0.webhook.headers")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "odd",
    [
        *[{}, {"Authorization": "v"}, "Authorization: v", 1, True, ["Authorization: v"], [None]],
        *[[{}], [{"name": "a"}], [{"value": "v"}], [{"Name": "a", "Value": "v"}], [["a", "v"]]],
        *[[{"name": "a", "value": 1}], [{"name": "a", "value": None}], [{"name": 1, "value": "v"}]],
        [{"name": "a", "value": "v", "secret": "s"}],
        [{"name": "a", "value": {"ref": "s"}}],
        *[
            headers("v", name)
            for name in ("", " ", "a b", "a\r\nb: c", "a\n", "a:", "\ta", "ä", "a\x7f")
        ],
        *[headers("v", name) for name in ("x{{name}}", "a(b)", "a/b", '"a"', "a\u200b", "a" * 257)],
        *[headers(value) for value in ("a\r\nb: c", "a\n", "\ra", "a\x01")],
        *[headers(value) for value in ("a\x7f", "a\x85b", "a\u2028b")],
        headers("fine", "A") + headers("a\nb", "B"),
    ],
    ids=repr,
)
def test_headers_of_another_shape_or_with_odd_signs_are_refused_by_their_field(
    new_lab: NewLab, way: str, odd: object
) -> None:
    lab = new_lab(AllowedToolHosts="crm.example")
    tools = [HANGUP, webhook(headers=odd)]
    assert_names(give(lab, way, tools=tools), "tools.1.webhook.headers")
    assert_untouched(lab)


@pytest.mark.parametrize("fine", [None, [], headers("Bearer a b\tc", "X-Api_Key.1"), headers("")])
def test_plain_headers_are_accepted(new_lab: NewLab, fine: object) -> None:
    answer = give(new_lab(), "start", tools=[webhook(headers=fine)])
    assert answer.status == 202, answer.json


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "server",
    [
        {},
        {"url": "https://evil.example"},
        {"id": "mcp-1", "url": "https://evil.example"},
        {"id": "mcp-1", "api_key_ref": "crm"},
        {"id": "mcp-1", "allowed_tools": [{"name": "x"}]},
    ],
)
def test_an_mcp_server_is_an_id_of_the_account(
    new_lab: NewLab, way: str, server: dict[str, Any]
) -> None:
    answer = give(new_lab(), way, mcp_servers=[server])
    assert answer.status == 422
    fields = [detail["field"] for detail in answer.json["error"]["details"]]
    assert all(field.startswith("assistant.mcp_servers.0") for field in fields)


def test_no_answer_shows_the_value_of_a_header(new_lab: NewLab) -> None:
    lab = new_lab()
    tools = [webhook(headers=headers("Bearer of-the-crm"))]
    started = give(lab, "start", tools=tools)
    path = f"/conversations/{started.json['id']}"
    lab.run(5)
    answers = [started, lab.ask("GET", path), lab.ask("POST", f"{path}/stop")]
    answers += [give(lab, "route", tools=tools), lab.ask("GET", f"/routes/{OUR_NUMBER}")]
    for answer in answers:
        [tool] = answer.json["assistant"]["tools"]
        assert tool["webhook"]["headers"] == headers("***")
    answers += [lab.ask("GET", "/routes"), lab.ask("GET", "/conversations")]
    answers += [lab.ask("GET", f"{path}/timeline"), lab.ask("GET", f"{path}/export")]
    assert not any(b"of-the-crm" in answer.body for answer in answers)
    [sent] = lab.commands("ai_assistant_start")
    assert sent["assistant"]["tools"] == tools


def test_a_masked_header_that_comes_back_is_refused(new_lab: NewLab) -> None:
    assert_names(give(new_lab(), "route", tools=[webhook(headers=headers("***"))]), "tools")

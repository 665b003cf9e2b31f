"""Every webhook becomes an event, odd webhooks too."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partyline.telnyx import webhooks
from partyline.telnyx.webhooks import (
    WEBHOOK_TYPES,
    ConversationInsightsGenerated,
    Event,
    EventWithoutType,
    MalformedWebhookError,
    UnknownEvent,
    WebhookType,
    parse,
)

EVENTS = Path(__file__).parents[3] / "events"
INBOUND_LEG = "v3:2EC-70CTEjlUq3tDM0CxKXIt5-5N4iP4wo7_-PfH-qub97Sk4EqO5w"
AI_LEG = "v3:HDR1vQHx697hpP9xZ0bhlbUOWPFPDtPcxw-nuSMuC6mGVpb0euoklQ"
INSIGHTS_LEG = "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg"
CONVERSATION = "0424805b-adc1-4ff8-9f95-e1de6883ecbe"

# Shape as captured: an insight group posts this to its own URL.
INSIGHT_GROUP_BODY: dict[str, Any] = {
    "event_type": "conversation_insight_result",
    "record_type": "event",
    "payload": {
        "conversation_id": CONVERSATION,
        "insight_group_id": "428c31b6-abf3-3bc1-b7f4-5013ef9657c1",
        "insight_id": "51d1a1b0-abf3-3bc1-b7f4-5013ef9657c1",
        "request_id": "0c7b1d9e-0000-4000-8000-000000000001",
        "status": "completed",
        "metadata": {
            "call_control_id": AI_LEG,
            "call_session_id": "cc29c8d6-3c91-11f0-aa7c-02420aef3d20",
            "assistant_id": "assistant-d9082b56-ba2d-4ad1-a50c-58661eb1463d",
        },
        "results": [
            {
                "insight_id": "51d1a1b0-abf3-3bc1-b7f4-5013ef9657c1",
                "result": '{"sentiment": "positive"}',
            }
        ],
    },
}


# Shape of the official example (Telnyx API: call.analyzed).
ANALYZED: dict[str, Any] = {
    "conversation_id": CONVERSATION,
    "client_state": "g3QAAAACbQAAAAtkYXRhX2NlbnRlcm0AAAADY2gx",
    "conversation_insights": [
        {"status": "completed", "conversation_insights": [{"insight_id": "i-1", "result": "Well"}]},
        {"status": "completed", "conversation_insights": [{"insight_id": "i-2", "result": "{}"}]},
    ],
    "cost": {
        "total": "0.0842",
        "currency": "USD",
        "breakdown": [
            {"product": "ai-voice-assistant", "cost": "0.05"},
            {"product": "inference", "cost": "0.0342"},
        ],
    },
    "duration_sec": 71,
    "recordings": [
        {
            "id": "r-1",
            "channels": "dual",
            "format": "mp3",
            "start_time": "2026-10-15T20:37:00Z",
            "end_time": "2026-10-15T20:38:11Z",
            "download_urls": {"mp3": "https://example.com/download"},
        }
    ],
}


def fixture(name: str) -> bytes:
    return (EVENTS / f"{name}.json").read_bytes()


def event(event_type: object = "call.hangup", **payload: Any) -> Event:
    data = {"event_type": event_type, "id": "e", "payload": payload}
    return parse(json.dumps({"data": data, "meta": {"attempt": 2}}).encode())


SEEN: list[tuple[str, type[Event], dict[str, Any]]] = [
    (
        "call.initiated",
        webhooks.CallInitiated,
        {
            "call_control_id": INBOUND_LEG,
            "call_leg_id": "b0e6224c-c81c-11f0-afbb-02420aef93a0",
            "client_state": None,
            "connection_id": "2811212257810187875",
            "direction": "incoming",
            "from_": "+13125550124",
            "to": "+13125550198",
        },
    ),
    (
        "call.answered",
        webhooks.CallAnswered,
        {
            "call_control_id": INBOUND_LEG,
        },
    ),
    (
        "call.hangup",
        webhooks.CallHangup,
        {
            "call_control_id": INBOUND_LEG,
            "client_state": None,
            "hangup_cause": "normal_clearing",
            "sip_hangup_cause": "unspecified",
        },
    ),
    (
        "call.machine.detection.ended",
        webhooks.MachineDetectionEnded,
        {"call_control_id": INBOUND_LEG, "result": "human"},
    ),
    (
        "call.machine.premium.detection.ended",
        webhooks.MachineDetectionEnded,
        {
            "call_control_id": None,
            "call_leg_id": "428c31b6-7af4-4bcb-b7f5-5013ef9657c1",
            "result": "human_residence",
        },
    ),
    ("call.machine.greeting.ended", webhooks.MachineGreetingEnded, {"result": "beep_detected"}),
    ("call.gather.ended", webhooks.GatherEnded, {"digits": "1", "status": "valid"}),
    (
        "call.conversation.created",
        webhooks.ConversationCreated,
        {"call_control_id": AI_LEG, "conversation_id": CONVERSATION},
    ),
    (
        "call.conversation.ended",
        webhooks.ConversationEnded,
        {
            "call_control_id": AI_LEG,
            "conversation_id": CONVERSATION,
            "reason": None,
            "to": "someone@assistant-d9082b56-ba2d-4ad1-a50c-58661eb1463d.sip.telnyx.com",
        },
    ),
    (
        "call.conversation_insights.generated",
        ConversationInsightsGenerated,
        {
            "call_control_id": INSIGHTS_LEG,
            "from_": None,
        },
    ),
]


@pytest.mark.parametrize(("name", "kind", "says"), SEEN, ids=[name for name, _, _ in SEEN])
def test_a_captured_webhook_is_read(name: str, kind: type[Event], says: dict[str, Any]) -> None:
    body = fixture(name)

    parsed = parse(body)

    assert type(parsed) is kind
    assert parsed.event_type == name
    assert parsed.id == json.loads(body)["data"]["id"]
    assert parsed.attempt == 1
    assert parsed.occurred_at is not None
    assert parsed.occurred_at.tzinfo is UTC
    assert {field: getattr(parsed.payload, field) for field in says} == says


@pytest.mark.parametrize("event_type", ["call.speak.ended", "call.playback.ended"])
def test_the_end_of_a_voice_has_a_status(event_type: str) -> None:
    data = {"event_type": event_type, "payload": {"status": "file_not_found"}}
    event = webhooks.parse(json.dumps({"data": data}).encode())

    assert isinstance(event, webhooks.VoiceEnded)
    assert event.payload.status == "file_not_found"


def test_every_captured_webhook_has_a_known_type() -> None:
    names = {path.stem for path in EVENTS.glob("*.json")}

    assert names == {name for name, _, _ in SEEN}
    assert names <= WEBHOOK_TYPES.keys()


def test_a_foreign_client_state_is_kept() -> None:
    state = parse(fixture("call.conversation.ended")).payload.client_state

    assert state is not None
    assert state.startswith("g3QAAAAC")


def test_insights_may_be_text_or_objects() -> None:
    parsed = parse(fixture("call.conversation_insights.generated"))

    assert isinstance(parsed, ConversationInsightsGenerated)
    assert [insight.result for insight in parsed.payload.results] == [
        "The caller asked about opening hours and was told.",
        {"sentiment": "positive"},
    ]


def test_the_webhook_of_an_insight_group_is_read() -> None:
    parsed = parse(json.dumps(INSIGHT_GROUP_BODY).encode())

    assert isinstance(parsed, ConversationInsightsGenerated)
    assert parsed.id == "0c7b1d9e-0000-4000-8000-000000000001"
    assert parsed.payload.conversation_id == CONVERSATION
    assert parsed.payload.call_control_id == AI_LEG
    assert parsed.payload.call_leg_id is None
    assert parsed.payload.results[0].result == '{"sentiment": "positive"}'
    assert parsed.occurred_at is None
    assert parsed.attempt is None


def test_the_misprinted_event_type_of_insights_is_accepted() -> None:
    parsed = event("call.conversation.insights.generated", results=[{"insight_id": "i"}, 7, None])

    assert isinstance(parsed, ConversationInsightsGenerated)
    assert [insight.insight_id for insight in parsed.payload.results] == ["i"]


def test_a_failed_start_has_its_reason() -> None:
    parsed = event("call.conversation.start_failed", reason="service_error")

    assert isinstance(parsed, webhooks.ConversationStartFailed)
    assert parsed.payload.reason == "service_error"


@pytest.mark.parametrize("event_type", ["call.new", "call.hang.up", "payment", "call_holds"])
def test_an_unknown_type_is_an_unknown_event_with_its_leg(event_type: object) -> None:
    parsed = event(event_type, call_control_id="v3:a")

    assert type(parsed) is UnknownEvent
    assert parsed.payload.call_control_id == "v3:a"


@pytest.mark.parametrize("event_type", ["call.hold", "conference.ended", "call_speak_started"])
def test_a_documented_type_without_use_is_acknowledged(event_type: str) -> None:
    assert type(event(event_type)) is webhooks.AcknowledgedEvent


@pytest.mark.parametrize("event_type", ["", None, 7, ["call.hangup"], "call.hangup\0"])
def test_an_event_with_an_unreadable_type_is_an_event_without_type(event_type: object) -> None:
    parsed = event(event_type, call_control_id="v3:a")

    assert type(parsed) is EventWithoutType
    assert parsed.payload.call_control_id == "v3:a"


@pytest.mark.parametrize(
    "body", ["{}", '{"data": null}', '{"data": []}', '{"data": {}, "meta": 1}', '{"metadata": {}}']
)
def test_a_body_without_an_event_is_an_event_without_type(body: str) -> None:
    parsed = parse(body.encode())

    assert type(parsed) is EventWithoutType
    assert (parsed.id, parsed.event_type, parsed.attempt) == (None, "", None)


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ("call_answered", "call.answered"),
        ("call_machine_premium_detection_ended", "call.machine.premium.detection.ended"),
        ("call_conversation_start_failed", "call.conversation.start_failed"),
        ("call.conversation.start.failed", "call.conversation.start_failed"),
        ("Call.Answered", "call.answered"),
        ("CALL_ANSWERED", "call.answered"),
        ("call-answered", "call.answered"),
        (" call.answered ", "call.answered"),
        ("callAnswered", "call.answered"),
        ("call.conversationStartFailed", "call.conversation.start_failed"),
        ("CallMachinePremiumDetectionEnded", "call.machine.premium.detection.ended"),
    ],
)
def test_a_type_in_another_spelling_is_the_same_type(sent: str, known: str) -> None:
    parsed = event(sent, call_control_id="v3:a")

    assert (type(parsed), parsed.event_type) == (WEBHOOK_TYPES[known].event, known)
    assert parsed.underscored
    assert not event(known).underscored


def test_no_two_types_have_the_same_spelling_but_for_the_misprint() -> None:
    spellings = [name.replace(".", "_") for name in WEBHOOK_TYPES]

    assert len(spellings) - len(set(spellings)) == 1


def test_a_body_of_api_version_1_is_an_event_of_its_own_kind() -> None:
    body = {"event_type": "call_answered", "id": "e", "payload": {"call_control_id": "v3:a"}}

    assert type(parse(json.dumps(body).encode())) is webhooks.VersionOneEvent


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": []}])
def test_an_underscored_type_without_a_payload_is_of_version_1(payload: dict[str, Any]) -> None:
    body = {"data": {"event_type": "call_answered", "call_control_id": "v3:a", **payload}}

    assert type(parse(json.dumps(body).encode())) is webhooks.VersionOneEvent


@pytest.mark.parametrize("envelope", [lambda data: {"data": data}, lambda data: data])
def test_an_event_of_version_2_without_a_payload_is_its_own_payload(
    envelope: Callable[[Any], Any],
) -> None:
    body = envelope({"event_type": "call.answered", "call_control_id": "v3:a"})
    parsed = parse(json.dumps(body).encode())

    assert type(parsed) is webhooks.CallAnswered
    assert parsed.payload.call_control_id == "v3:a"


def test_the_id_of_an_insight_may_be_a_number() -> None:
    parsed = event("call.conversation_insights.generated", results=[{"insight_id": 7}])

    assert isinstance(parsed, webhooks.ConversationInsightsGenerated)
    assert [result.insight_id for result in parsed.payload.results] == ["7"]


@pytest.mark.parametrize("name", ["ai.conversation.ended", "ai.assistant.insights", "ai.new"])
def test_an_undocumented_ai_event_is_an_event_of_its_own_kind(name: str) -> None:
    assert type(event(name)) is webhooks.AiEvent


@pytest.mark.parametrize(
    "name",
    [
        "call.conversation.messages_added",
        "call.conversation.message_history_updated",
        "call.ai_gather.message_history_updated",
    ],
)
def test_new_messages_are_an_event_with_the_messages(name: str) -> None:
    for field in ("messages", "message_history"):
        parsed = event(name, **{field: [{"role": "user", "content": "Hello"}, "odd"]})

        assert type(parsed) is webhooks.TranscriptUpdated
        [message] = getattr(parsed.payload, field)
        assert (message.role, message.content) == ("user", "Hello")


def test_an_end_of_five_megabytes_is_read_with_its_messages() -> None:
    messages = [{"role": "user", "content": "x" * 500}] * 10_000
    parsed = event("call.conversation.ended", conversation_id="c", messages=messages)

    assert isinstance(parsed, webhooks.ConversationEnded)
    assert parsed.payload.conversation_id == "c"
    assert len(parsed.payload.messages) == 10_000


def test_the_quality_of_a_call_is_read_from_strings() -> None:
    parsed = parse(fixture("call.hangup"))

    assert isinstance(parsed, webhooks.CallHangup)
    stats = parsed.payload.call_quality_stats
    assert stats is not None
    assert stats.inbound is not None
    assert stats.outbound is not None
    assert (stats.inbound.mos, stats.inbound.packet_count) == (4.5, 3601)
    assert (stats.outbound.packet_count, stats.outbound.skip_packet_count) == (3590, 1)


@pytest.mark.parametrize("odd", [None, "bad", 7, [], {"inbound": [1], "outbound": "x"}])
def test_an_odd_quality_is_none(odd: object) -> None:
    parsed = event("call.hangup", call_quality_stats=odd, hangup_cause="user_busy")

    assert isinstance(parsed, webhooks.CallHangup)
    stats = parsed.payload.call_quality_stats
    assert stats is None or (stats.inbound, stats.outbound) == (None, None)
    assert parsed.payload.hangup_cause == "user_busy"


@pytest.mark.parametrize("value", ["nan", "1e999", "NaN", True, [], "4,5"])
def test_an_odd_quality_figure_is_none(value: object) -> None:
    parsed = event("call.hangup", call_quality_stats={"inbound": {"mos": value}})

    assert isinstance(parsed, webhooks.CallHangup)
    assert parsed.payload.call_quality_stats is not None
    assert parsed.payload.call_quality_stats.inbound is not None
    assert parsed.payload.call_quality_stats.inbound.mos is None


def test_the_insights_of_an_analysis_are_a_list_within_a_list() -> None:
    parsed = event("call.analyzed", **ANALYZED)

    assert isinstance(parsed, webhooks.ConversationAnalyzed)
    assert [insight.insight_id for insight in parsed.payload.results] == ["i-1", "i-2"]
    assert parsed.payload.cost is not None
    assert (parsed.payload.cost.total, parsed.payload.cost.currency) == ("0.0842", "USD")
    assert [line.cost for line in parsed.payload.cost.breakdown] == ["0.05", "0.0342"]
    assert [recording.id for recording in parsed.payload.recordings] == ["r-1"]
    assert "download" not in parsed.model_dump_json()


def test_an_analysis_without_cost_recordings_and_insights_is_read() -> None:
    nothing = {"cost": "No cost data available.", "recordings": None, "conversation_insights": None}
    parsed = event("call.analyzed", conversation_id="c", **nothing)

    assert isinstance(parsed, webhooks.ConversationAnalyzed)
    assert (parsed.payload.cost, parsed.payload.recordings) == (None, ())
    assert parsed.payload.results == ()
    assert parsed.payload.conversation_id == "c"


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        *[("0.0842", "0.0842"), (0.05, "0.05"), (3, "3"), ("-1.5", "-1.5")],
        *[("free", None), ("1e5", None), (True, None), (None, None), ([], None), ("9" * 40, None)],
    ],
)
def test_an_amount_is_read_as_a_decimal_number_or_none(value: object, amount: str | None) -> None:
    parsed = event("call.analyzed", cost={"total": value})

    assert isinstance(parsed, webhooks.ConversationAnalyzed)
    assert parsed.payload.cost is not None
    assert parsed.payload.cost.total == amount


@pytest.mark.parametrize("odd", [7, True, None, [], {}, "a\0b", "\ud800", "x" * 513])
def test_an_odd_field_is_none_and_other_fields_stay(odd: object) -> None:
    parsed = event(call_control_id=odd, call_leg_id="leg", hangup_cause="user_busy")

    assert isinstance(parsed, webhooks.CallHangup)
    assert parsed.payload.call_control_id is None
    assert parsed.payload.call_leg_id == "leg"
    assert parsed.payload.hangup_cause == "user_busy"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *[(3, 3), ("3", 3), (3.0, 3), ("3.0", 3)],
        *[(3.5, None), (True, None), (None, None), (10**30, None)],
        *[("3s", None), ("", None), ("9" * 400, None), ("nan", None), ("1.e999", None)],
    ],
)
def test_a_duration_is_read_as_a_whole_number_or_none(value: object, seconds: int | None) -> None:
    parsed = event("call.conversation.ended", duration_sec=value)

    assert isinstance(parsed, webhooks.ConversationEnded)
    assert parsed.payload.duration_sec == seconds


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-05-03T10:00:00.5Z", datetime(2026, 5, 3, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-05-03T12:00:00+02:00", datetime(2026, 5, 3, 10, tzinfo=UTC)),
        ("2026-05-03T10:00:00", datetime(2026, 5, 3, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (1_777_800_000, None),
        (None, None),
    ],
)
def test_a_moment_is_read_as_utc_or_none(value: object, moment: datetime | None) -> None:
    parsed = parse(json.dumps({"data": {"event_type": "x", "occurred_at": value}}).encode())

    assert parsed.occurred_at == moment


def test_an_insight_is_read_as_it_came() -> None:
    body = (
        b'{"data": {"event_type": "call.conversation_insights.generated", "payload": {"results": ['
        b'{"insight_id": "i", "result": {"a": NaN, "b": -Infinity, "c": "x\\u0000", "d\\ud800": 1,'
        b' "e": [1, 2.5, true, null, "\\ud83d\\ude00"], "f": 4711000000000000, "g": -1e999,'
        b' "h": 123456789012345678901234567890123456789012345, "i": 3.14159265358979323846264,'
        b' "j": 1e-400, "k": 1e-99999999999999999999, "l": 1.10, "m": 0.1}}]}}}'
    )

    parsed = parse(body)

    assert isinstance(parsed, ConversationInsightsGenerated)
    assert parsed.payload.results[0].result == {
        "a": "NaN",
        "b": "-Infinity",
        "c": "x\0",
        "d\ufffd": 1,
        "e": [1, 2.5, True, None, "😀"],
        "f": 4711000000000000,
        "g": "-1e999",
        "h": 123456789012345678901234567890123456789012345,
        "i": "3.14159265358979323846264",
        "j": "1e-400",
        "k": "1e-99999999999999999999",
        "l": 1.1,
        "m": 0.1,
    }


def test_a_number_of_too_many_digits_is_read_as_its_text() -> None:
    digits = "9" * 5000
    body = {"event_type": "conversation_insight_result", "payload": {"results": [{"result": 47}]}}

    parsed = parse(json.dumps(body).replace("47", digits).encode())

    assert isinstance(parsed, ConversationInsightsGenerated)
    assert parsed.payload.results[0].result == digits


def test_a_large_insight_is_read_as_it_came() -> None:
    text = "x" * 300_000
    parsed = event("call.conversation_insights.generated", results=[{"result": text}])

    assert isinstance(parsed, ConversationInsightsGenerated)
    assert parsed.payload.results[0].result == text


def test_the_last_of_two_equal_keys_counts() -> None:
    assert parse(b'{"data": {"event_type": "x", "id": "a", "id": "b"}}').id == "b"


def test_below_the_greatest_depth_a_nested_insight_is_its_json() -> None:
    deep: Any = "bottom"
    for _ in range(300):
        deep = [deep]

    parsed = event("call.conversation_insights.generated", results=[{"result": deep}])

    assert isinstance(parsed, ConversationInsightsGenerated)
    read = parsed.payload.results[0].result
    for _ in range(100):
        [read] = read
    assert read == json.dumps(deep)[100:-100]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"<html>", "not_json"),
        (b'{"data": {}', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"\xff", "not_utf8"),
        ('{"data": {}}'.encode("utf-16"), "not_utf8"),
        (b'"\xed\xa0\x80"', "not_utf8"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"[" * 200_000, "too_deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_malformed_body_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedWebhookError) as caught:
        parse(body)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "fits"),
    [("x" * 512, True), ("x" * 513, False), ("\u20ac" * 170, True), ("\u20ac" * 171, False)],
)
def test_the_length_of_an_id_is_bounded_in_bytes(text: str, fits: bool) -> None:
    """An id becomes part of a DynamoDB key, and the limit of a key is in bytes."""
    assert event(call_control_id=text).payload.call_control_id == (text if fits else None)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.sampled_from(["\ud800", "\0"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    *["id", "payload", "attempt", "occurred_at", "call_control_id", "from"],
                    *["results", "result", "metadata", "duration_sec", "request_id", "data"],
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@given(event_type=st.sampled_from([*WEBHOOK_TYPES, "x"]), data=JSON, payload=JSON, meta=JSON)
def test_parse_reads_every_json_body(
    event_type: str, data: object, payload: object, meta: object
) -> None:
    fields = data if isinstance(data, dict) else {"id": data, "occurred_at": data}
    body = {"data": {**fields, "event_type": event_type, "payload": payload}, "meta": meta}

    parsed = parse(json.dumps(body).encode())

    assert type(parsed) is WEBHOOK_TYPES.get(event_type, WebhookType(UnknownEvent)).event
    # The event can be stored: no NaN, no surrogate.
    assert json.loads(parsed.model_dump_json())


@given(st.binary(max_size=200))
def test_every_body_is_an_event_or_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedWebhookError):
        assert isinstance(parse(body), webhooks.Event)


@pytest.mark.parametrize("sent", ["machine", "Machine", "MACHINE", " machine "])
def test_a_verdict_is_read_without_case_and_spaces(sent: str) -> None:
    parsed = event("call.machine.detection.ended", call_control_id="v3:a", result=sent)

    assert parsed.payload.result == "machine"  # type: ignore[attr-defined]


@pytest.mark.parametrize("sent", ["incoming", "Incoming", "INCOMING"])
def test_a_direction_is_read_without_case(sent: str) -> None:
    assert (
        event("call.initiated", call_control_id="v3:a", direction=sent).payload.direction
        == "incoming"
    )

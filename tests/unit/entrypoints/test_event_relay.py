"""The event relay: what it puts on the bus, and which record Lambda starts from again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local.stack.handlers import LambdaContext
from partyline.bootstrap import App, override
from partyline.domain.model.events import Event, EventType
from partyline.entrypoints.event_relay import MAX_PUT_BYTES, EventNotRelayedError, event_relay
from partyline.services.requests import check_e164

UNREADABLE = {"conversation_id": {"S": "c1"}, "event": {"S": '{"data": "+13125550123"'}}


class Bus:
    """EventBridge's client: refuses the entries and the requests that a test names."""

    def __init__(self) -> None:
        self.requests: list[list[dict[str, str]]] = []
        self.refused: dict[int, str] = {}
        self.errors: dict[int, Exception] = {}

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        request = len(self.requests)
        self.requests.append(Entries)
        if request in self.errors:
            raise self.errors[request]
        codes = [self.refused.get(json.loads(entry["Detail"])["seq"]) for entry in Entries]
        results = [{"ErrorCode": code} if code else {"EventId": "e"} for code in codes]
        return {"FailedEntryCount": sum(map(bool, codes)), "Entries": results}

    @property
    def seqs(self) -> list[list[int]]:
        """The `seq` of each entry, by request."""
        return [
            [json.loads(entry["Detail"])["seq"] for entry in request] for request in self.requests
        ]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    monkeypatch.setenv("EVENT_BUS_NAME", "the-bus")
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    app, client = App(), Bus()
    app.events_client = client
    override(app)
    yield client
    override(None)


def row(seq: int, content: Any = "Hello.") -> dict[str, Any]:
    event = Event(
        seq=seq,
        type=EventType.MESSAGE_SENT,
        occurred_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
        cause="input-1",
        data={"content": content},
    )
    return {
        "conversation_id": {"S": "c1"},
        "event": {"S": event.model_dump_json()},
        "trace_id": {"S": "1-6921f3a6-0d4c1b6f2e9a87c35d10b4fe"},
    }


def relay(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Invoke the handler with a batch; the sequence numbers are `n0`, `n1`, ..."""
    records = [
        {"dynamodb": {"NewImage": image, "SequenceNumber": f"n{index}"}}
        for index, image in enumerate(rows)
    ]
    return event_relay()({"Records": records}, LambdaContext("EventRelayFunction", 1024, 10))


def starts_again_from(number: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number}]}


@pytest.mark.parametrize("number", ["+4912345", "+491234567890123"])
def test_the_shortest_and_the_longest_number_are_masked(bus: Bus, number: str) -> None:
    check_e164(number)
    relay([row(1, f"Call {number}.")])
    [[entry]] = bus.requests
    content = json.loads(entry["Detail"])["data"]["content"]
    assert content == f"Call ***{number[-4:]}."


def test_an_event_goes_out_in_plain_json_with_masked_numbers(bus: Bus) -> None:
    assert relay([row(7, 'Zoë says "call +13125550123"')]) == {"batchItemFailures": []}
    assert bus.requests == [
        [
            {
                "EventBusName": "the-bus",
                "Source": "partyline",
                "DetailType": "message.sent",
                "Detail": '{"version":1,"conversation_id":"c1","seq":7,"type":"message.sent",'
                '"occurred_at":"2026-11-22T09:00:00Z","cause":"input-1",'
                '"trace_id":"1-6921f3a6-0d4c1b6f2e9a87c35d10b4fe",'
                '"data":{"content":"Zoë says \\"call ***0123\\""}}',
            }
        ]
    ]


def test_a_request_holds_ten_events_at_most(bus: Bus) -> None:
    assert relay([row(seq) for seq in range(25)]) == {"batchItemFailures": []}
    assert bus.seqs == [[*range(10)], [*range(10, 20)], [*range(20, 25)]]


def test_a_request_stays_below_the_size_that_the_bus_accepts(bus: Bus) -> None:
    assert relay([row(seq, "é" * 50_000) for seq in range(5)]) == {"batchItemFailures": []}
    assert bus.seqs == [[0, 1], [2, 3], [4]]
    for request in bus.requests:
        assert sum(len("".join(entry.values()).encode()) for entry in request) < 256 * 1024


def test_lambda_starts_again_from_the_first_event_that_the_bus_refused(bus: Bus) -> None:
    bus.refused = {4: "ThrottlingException", 6: "InternalFailure"}
    assert relay([row(seq) for seq in range(15)]) == starts_again_from("n4")
    assert len(bus.requests) == 1, "no later request may overtake the failed event"


def test_lambda_starts_again_from_the_request_that_failed(bus: Bus) -> None:
    bus.errors = {1: EndpointConnectionError(endpoint_url="https://events")}
    assert relay([row(seq) for seq in range(15)]) == starts_again_from("n10")


def test_events_before_an_unreadable_row_go_out_and_none_behind_it(bus: Bus) -> None:
    assert relay([row(0), row(1), UNREADABLE, row(3)]) == starts_again_from("n2")
    assert bus.seqs == [[0, 1]]


@pytest.mark.parametrize(
    "bad",
    [UNREADABLE, {}, row(0, ["x" * 999] * 300)],
    ids=["no event", "no attributes", "too large"],
)
def test_a_bad_first_row_fails_the_batch_so_that_lambda_halves_it(
    bus: Bus, bad: Mapping[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EventNotRelayedError) as raised:
        relay([bad, row(1)])
    assert bus.requests == [], "nothing behind it overtakes it"
    told = f"{raised.value} {raised.value.__cause__} {capfd.readouterr().out}"
    assert "n0" in told
    assert "3125550123" not in told


@pytest.mark.parametrize("text", ["x", "\u00e9", "\U0001f600"])
def test_an_event_larger_than_the_bus_accepts_goes_out_with_cut_texts(bus: Bus, text: str) -> None:
    large = row(1, text * MAX_PUT_BYTES)
    assert relay([row(0), large, row(2)]) == {"batchItemFailures": []}
    details = [json.loads(entry["Detail"]) for request in bus.requests for entry in request]
    assert [detail["seq"] for detail in details] == [0, 1, 2]
    assert details[1]["cut_from_bytes"] > MAX_PUT_BYTES
    assert text * 1_000 in details[1]["data"].values()
    assert "cut_from_bytes" not in details[0] | details[2]


def test_a_bus_that_refuses_everything_fails_the_batch(bus: Bus) -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutEvents")
    bus.errors = {0: denied}
    with pytest.raises(EventNotRelayedError, match="AccessDeniedException"):
        relay([row(0), row(1)])

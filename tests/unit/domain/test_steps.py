"""The record of a step holds all that `decide` was given, so that a replay reads the same input."""

import json
from dataclasses import is_dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from local.replay.driver import input_of
from partyline.domain.model import inputs, results, steps
from partyline.domain.model.costs import LegCost
from partyline.domain.model.events import Cost, CostLine, Quality, Recording
from partyline.domain.model.insight import Insight
from partyline.domain.model.plan import Plan, Screening
from partyline.domain.model.statuses import AssistantMode, OnHangup
from partyline.domain.model.steps import step_record
from partyline.domain.model.transcript import RunMessages, ToolCall, TranscriptMessage
from tests.support.domain_story import ASSISTANT, T0, call_ref, guest, plan, start_request

SECRET = {"name": "x-key", "value": "a secret"}
WEBHOOK: dict[str, Any] = {"call": call_ref(), "occurred_at": T0 + timedelta(microseconds=1)}
INSIGHTS = (
    Insight(insight_id="1", result={"type": "Refused", "a": [None, 1.0, 1]}),
    Insight(insight_id=None, result="ü"),
)
MESSAGES = (
    TranscriptMessage(
        role="assistant",
        text=None,
        at=T0,
        tool_calls=(ToolCall(id="call-1", function="invite", arguments='{"type": "Refused"}'),),
    ),
    TranscriptMessage(role="tool", text="ü", tool_call_id="call-1", participant_id="v3:1"),
)
SCREENED: Plan = plan(screening=Screening(say="Press 1."), max_attempts=2)
EXAMPLES: list[inputs.Input] = [
    replace(start_request(guests=(guest(),)), metadata={"type": "CallRef", "none": None}),
    inputs.InviteParticipant(id="1", participant=guest("eli", SCREENED, on_hangup=OnHangup.END)),
    inputs.HandOver(id="1", handover_id="h", participant=guest(), then="away"),
    inputs.RemoveParticipant(id="1", participant_id="dana"),
    inputs.SendMessage(id="1", role="user", content="", trigger_response=True),
    inputs.SetAssistantMode(id="1", mode=AssistantMode.AWAY),
    inputs.NoteCallBack(id="1", booked_id="c-2", start_at=T0),
    inputs.StopConversation(id="1", hang_up=True),
    inputs.CallInitiated(
        id="1",
        **WEBHOOK,
        conversation_id="c",
        incoming=True,
        from_="anonymous",
        to="+13125550100",
        route=inputs.Route(assistant=ASSISTANT, connection_id="1", phrases={"left": ""}),
    ),
    inputs.CallAnswered(id="1", **WEBHOOK),
    inputs.CallHangup(id="1", **WEBHOOK, cause="busy", quality=Quality(mos=4.5)),
    inputs.CallBridged(id="1", **WEBHOOK),
    inputs.ConferenceJoined(id="1", **WEBHOOK),
    inputs.ConferenceLeft(id="1", **WEBHOOK),
    inputs.MachineVerdict(id="1", **WEBHOOK, machine=True, by_speech=True),
    inputs.GreetingEnded(id="1", **WEBHOOK, result="beep_detected"),
    inputs.CallScreeningDetected(id="1", **WEBHOOK),
    inputs.DigitsGathered(id="1", **WEBHOOK, digits="1#", status="valid"),
    inputs.VoiceEnded(id="1", **WEBHOOK, status="completed"),
    inputs.ConversationCreated(id="1", **WEBHOOK, telnyx_conversation_id=None),
    inputs.ConversationStartFailed(id="1", **WEBHOOK, reason="service_error"),
    inputs.ConversationEnded(id="1", **WEBHOOK, telnyx_conversation_id="t", messages=MESSAGES),
    inputs.TranscriptUpdated(
        id="1", **WEBHOOK, source="added", messages=MESSAGES, telnyx_conversation_id="t"
    ),
    inputs.InsightsGenerated(id="1", **WEBHOOK, insights=INSIGHTS),
    inputs.ConversationAnalyzed(
        id="1",
        **WEBHOOK,
        telnyx_conversation_id="t",
        insights=INSIGHTS,
        cost=Cost(total="0.1", breakdown=[CostLine(product="ai")]),
        recordings=(Recording(id="r", started_at=T0),),
    ),
    inputs.CallCost(id="1", **WEBHOOK, cost=LegCost(total="0.1", currency="USD", billed_secs=60)),
    inputs.PollCalls(id="census", calls=("host:1",), missing=True),
    inputs.TimerElapsed(id="sweep"),
]
RESULTS: list[results.Result] = [
    results.Succeeded(call_control_id="v3:1"),
    results.CallEnded(),
    results.CallUnknown(),
    results.Refused(code="1", message="No.", limit=True, rule="quiet_hours"),
    results.FormRefused(code="1", message="No.", changes=("voice", "greeting")),
    results.Retryable(had_no_effect=True, retry_after=2.5),
    results.NotFound(),
    results.CallState(alive=True, answered=False, call_control_id="v3:2", call_leg_id="leg-2"),
    results.InsightsFound(insights=INSIGHTS, telnyx_conversation_id="t-1", complete=True),
    results.TranscriptFound(
        runs=(RunMessages(telnyx_conversation_id="t-1", messages=MESSAGES),),
        telnyx_conversation_id="t-1",
    ),
]
EXAMPLES += [inputs.CommandResult(id="1", key="dial:host:1", result=result) for result in RESULTS]


def recorded(*new_inputs: inputs.Input) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(step_record(new_inputs, T0, (), 1))
    return record


@pytest.mark.parametrize("input_", EXAMPLES, ids=lambda input_: type(input_).__name__)
def test_an_input_is_read_as_it_was_written(input_: inputs.Input) -> None:
    [written] = recorded(input_)["inputs"]
    assert input_of(written) == input_


def test_the_names_of_inputs_and_results_stay() -> None:
    """Replay files of earlier commits hold these names."""
    assert [type(example).__name__ for example in EXAMPLES[: -len(RESULTS)]] == [
        *("StartConversation", "InviteParticipant", "HandOver", "RemoveParticipant", "SendMessage"),
        *("SetAssistantMode", "NoteCallBack"),
        *("StopConversation", "CallInitiated", "CallAnswered", "CallHangup", "CallBridged"),
        *("ConferenceJoined", "ConferenceLeft"),
        *("MachineVerdict", "GreetingEnded", "CallScreeningDetected", "DigitsGathered"),
        *("VoiceEnded",),
        *(
            "ConversationCreated",
            "ConversationStartFailed",
            "ConversationEnded",
            "TranscriptUpdated",
            "InsightsGenerated",
        ),
        *("ConversationAnalyzed", "CallCost", "PollCalls", "TimerElapsed"),
    ]
    assert [type(result).__name__ for result in RESULTS] == [
        *("Succeeded", "CallEnded", "CallUnknown", "Refused", "FormRefused", "Retryable"),
        *("NotFound", "CallState", "InsightsFound", "TranscriptFound"),
    ]


def test_every_input_and_every_result_has_an_example() -> None:
    bases = {inputs.Input, inputs.CallInput, results.NotDone}
    tested = {type(example) for example in EXAMPLES} | {type(result) for result in RESULTS}
    named = {kind for kind in vars(inputs).values() if isinstance(kind, type)}
    named = {kind for kind in named if is_dataclass(kind) and issubclass(kind, inputs.Input)}
    assert named - bases <= tested
    assert set(results.Result.__args__) <= tested


def test_the_header_values_of_tools_are_masked() -> None:
    tools = [{"type": "webhook", "webhook": {"url": "https://a.example", "headers": [SECRET]}}]
    assistant = ASSISTANT.model_copy(update={"tools": tools})
    started = replace(start_request(), assistant=assistant)
    route = inputs.Route(assistant=assistant, connection_id="1")
    called = inputs.CallInitiated(
        id="1", call=call_ref(), conversation_id="c", incoming=True, route=route
    )
    text = json.dumps(recorded(started, called))
    assert "x-key" in text
    assert "a secret" not in text
    assert assistant.tools == tools, "the input itself is unchanged"


def test_of_a_record_that_is_too_large_the_size_is_kept() -> None:
    large = Insight(insight_id="1", result="a" * steps.MAX_STEP_BYTES)
    record = recorded(inputs.InsightsGenerated(id="1", **WEBHOOK, insights=(large,)))
    assert record.keys() == {"at", "seq", "omitted_bytes"}
    assert record["omitted_bytes"] > steps.MAX_STEP_BYTES

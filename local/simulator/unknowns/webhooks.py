"""Unknowns of webhooks and of the requests of an assistant's tools."""

from local.simulator.unknowns.model import Answer, Unknown

_DOCS = "https://developers.telnyx.com/docs"
_FUNDAMENTALS = (
    "https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks"
)
_RECEIVING = f"{_DOCS}/voice/programmable-voice/receiving-webhooks"
_ASYNC_TOOLS = f"{_DOCS}/inference/ai-assistants/async-tools"
_CATALOG = "https://developers.telnyx.com/data/webhook-events.json"
_CLIENT = "https://github.com/team-telnyx/telnyx-python"

UNKNOWNS = (
    Unknown(
        id="redelivered-id",
        question="Does an event keep its id when Telnyx delivers the event again?",
        answers=(
            Answer(
                "same",
                "`data.id` stays, and `meta.attempt` counts.",
                "The second delivery is a duplicate without an effect.",
                {"redelivery_id": "same"},
            ),
            Answer(
                "new",
                "Each delivery has another id.",
                "The second delivery is a second input; the rules give it no second effect.",
                {"redelivery_id": "new"},
            ),
        ),
        assumed="same",
        confidence="documented",
        sources=(_RECEIVING, "decision 6"),
        evidence="Dial with a webhook_url without a server, and a policy of one further delivery: "
        "the number of events in GET /webhook_deliveries.",
    ),
    Unknown(
        id="redelivery-signature",
        question="Does each delivery get a new signature?",
        answers=(
            Answer(
                "new",
                "The timestamp is that of the delivery.",
                "Deliveries of any age pass the check.",
                {"redelivery_signature": "new"},
            ),
            Answer(
                "first",
                "The timestamp is that of the first delivery.",
                "Deliveries pass for 300 s after the first; later changes come from polls.",
                {"redelivery_signature": "first"},
            ),
        ),
        assumed="new",
        confidence="unknown",
        sources=(_FUNDAMENTALS, "decision 48"),
        evidence="Dial with a webhook_url without a server, and a policy of one further delivery: "
        "telnyx-timestamp of both deliveries in GET /webhook_deliveries.",
    ),
    Unknown(
        id="default-retries",
        question="When are voice webhooks delivered again, without a policy of ours?",
        answers=(
            Answer(
                "three",
                "Three times, after 1, 2 and 4 s.",
                "A short outage is repaired by the deliveries.",
                {"retries_ms": (1000, 2000, 4000)},
            ),
            Answer(
                "none",
                "Never; only the failover URL follows.",
                "Polls and the failover queue repair the loss.",
                {"retries_ms": ()},
            ),
        ),
        assumed="three",
        confidence="unknown",
        sources=(_FUNDAMENTALS, _RECEIVING),
        evidence="Dial with a webhook_url without a server: the times of the deliveries in "
        "GET /webhook_deliveries.",
    ),
    Unknown(
        id="hangup-fields",
        question="Do hangups have client_state, and premium verdicts call_control_id?",
        answers=(
            Answer(
                "absent",
                "These fields are absent, as in captured webhooks.",
                "Webhooks are assigned by any id of the call.",
                {"sparse_webhooks": True},
            ),
            Answer(
                "present",
                "These fields are present, as in the description.",
                "Webhooks are assigned by call_control_id.",
                {"sparse_webhooks": False},
            ),
        ),
        assumed="absent",
        confidence="conflicting",
        sources=(_CATALOG, "decision 8"),
        evidence="The payload of call.hangup and of call.machine.premium.detection.ended.",
    ),
    Unknown(
        id="connection-id",
        question="Has every webhook of an application the id of the application?",
        answers=(
            Answer(
                "present",
                "`connection_id` is in each payload.",
                "`SignatureRefused` counts a wrong key, and no stranger's request.",
                {"names_connection": True},
            ),
            Answer(
                "absent",
                "A payload lacks the field.",
                "A wrong key shows in `UnsignedRefused` for such webhooks, without an alarm.",
                {"names_connection": False},
            ),
        ),
        assumed="present",
        confidence="documented",
        sources=(_CATALOG, "decision 187"),
        evidence="The payload of each webhook of the test calls.",
    ),
    Unknown(
        id="event-names",
        question="Are event types of version 2 written with dots?",
        answers=(
            Answer(
                "dots",
                "`call.answered`.",
                "Partyline reads the type.",
                {"event_names": "dots"},
            ),
            Answer(
                "underscores",
                "`call_answered`, in an envelope of version 2.",
                "Partyline reads the type in any spelling.",
                {"event_names": "underscores"},
            ),
        ),
        assumed="dots",
        confidence="documented",
        sources=(_RECEIVING, "decision 110"),
        evidence="`data.event_type` of the first webhook.",
    ),
    Unknown(
        id="body-version",
        question="Which version has the body of a webhook of an application with version 2?",
        answers=(
            Answer(
                "2",
                "Version 2, in an envelope.",
                "Partyline reads the body.",
                {"body_version": None},
            ),
            Answer(
                "1",
                "Version 1, flat, as for a new application without the setting.",
                "Partyline counts and ignores the webhooks, raises an alarm, and ends the calls "
                "by its polls, else at the time limit that Partyline has set.",
                {"body_version": "1"},
            ),
        ),
        assumed="2",
        confidence="documented",
        sources=(_CLIENT, "decision 110"),
        evidence="`data` in the body of the first webhook.",
    ),
    Unknown(
        id="ai-twins",
        question="Do events named ai.* follow the events of a conversation?",
        answers=(
            Answer(
                "none",
                "Only call.conversation.* comes.",
                "Nothing differs.",
                {"sends_ai_twins": False},
            ),
            Answer(
                "twins",
                "Each event comes a second time as ai.conversation.*, with an id of its own.",
                "Partyline ignores the unknown types.",
                {"sends_ai_twins": True},
            ),
        ),
        assumed="none",
        confidence="conflicting",
        sources=("https://github.com/team-telnyx/telnyx-code-examples",),
        evidence="The types of all webhooks of a conversation.",
    ),
    Unknown(
        id="ids-after-answer",
        question="Does a dialled call get other ids at its answer?",
        answers=(
            Answer(
                "same",
                "All ids stay.",
                "Partyline keeps the ids of the dial.",
                {"new_ids_at_answer": ""},
            ),
            Answer(
                "call",
                "call_control_id changes.",
                "Partyline adopts the new id by call_leg_id; if the webhook of the answer is lost, "
                "by the client_state in the list of active calls.",
                {"new_ids_at_answer": "call"},
            ),
            Answer(
                "all",
                "call_control_id and call_leg_id change.",
                "Partyline adopts the new ids by client_state; if the webhook of the answer is "
                "lost, by the client_state in the list of active calls.",
                {"new_ids_at_answer": "all"},
            ),
        ),
        assumed="same",
        confidence="conflicting",
        sources=(_CATALOG, "decision 131"),
        evidence="The ids of the dial's response against those of call.answered.",
    ),
    Unknown(
        id="time-limit-cause",
        question="Which hangup_cause has a call that Telnyx ends at our `time_limit_secs`?",
        answers=(
            Answer(
                "time_limit",
                "`time_limit`.",
                "The timeline says that the time was up.",
                {"time_limit_cause": "time_limit"},
            ),
            Answer(
                "normal_clearing",
                "`normal_clearing`.",
                "The person counts as having hung up.",
                {"time_limit_cause": "normal_clearing"},
            ),
        ),
        assumed="time_limit",
        confidence="documented",
        sources=(_CATALOG, "decision 115"),
        evidence="Dial with time_limit_secs 60: the time from call.answered to call.hangup, and "
        "hangup_cause.",
    ),
    Unknown(
        id="preset-fields",
        question="Are preset fields of a tool filled in on a phone call?",
        answers=(
            Answer(
                "filled",
                "{{call_control_id}} becomes the id of a call.",
                "Partyline reads the call from the signed body.",
                {"preset_fields": "filled"},
            ),
            Answer(
                "unfilled",
                "{{call_control_id}} stays as text.",
                "Partyline reads the call from the unsigned header.",
                {"preset_fields": "unfilled"},
            ),
            Answer(
                "absent",
                "The body has only the model's arguments.",
                "Partyline reads the call from the unsigned header.",
                {"preset_fields": "absent"},
            ),
        ),
        assumed="filled",
        confidence="documented",
        sources=(_CLIENT, "decision 37"),
        evidence="Let the assistant use the tool `status` on a phone call: the body of the "
        "request.",
    ),
    Unknown(
        id="tool-call",
        question="Which call do a tool's fields and header name when a guest speaks?",
        answers=(
            Answer(
                "starting",
                "The call on which the assistant started.",
                "Any call of the conversation finds the conversation.",
                {"tool_names": "starting"},
            ),
            Answer(
                "speaking",
                "The guest's call.",
                "Any call of the conversation finds the conversation.",
                {"tool_names": "speaking"},
            ),
        ),
        assumed="speaking",
        confidence="unknown",
        sources=(_ASYNC_TOOLS, "decision 37"),
        evidence="Let a joined guest ask for the tool `status`: call_control_id of the request.",
    ),
    Unknown(
        id="tool-header",
        question="Does each request of a tool have x-telnyx-call-control-id?",
        answers=(
            Answer(
                "present",
                "On each request of a phone call.",
                "Partyline uses the header if the body names no call.",
                {"tool_header": True},
            ),
            Answer(
                "absent",
                "The header is absent.",
                "Partyline reads the call from the signed body; without both, the tool says that "
                "it cannot help.",
                {"tool_header": False},
            ),
        ),
        assumed="present",
        confidence="documented",
        sources=(_ASYNC_TOOLS, "decision 37"),
        evidence="The headers of a request of the tool `status`.",
    ),
    Unknown(
        id="tool-repeats",
        question="Does Telnyx repeat a tool's request that failed?",
        answers=(
            Answer(
                "never",
                "The model gets the failure.",
                "The caller hears that the tool failed.",
                {"tool_repeats": 0},
            ),
            Answer(
                "once",
                "The same request follows once more.",
                "The second request answers with the outcome of the first.",
                {"tool_repeats": 1},
            ),
        ),
        assumed="never",
        confidence="unknown",
        sources=(_ASYNC_TOOLS, "decision 38"),
        evidence="Answer 503 to a request of the tool `status`, and count the requests for 30 s.",
    ),
)

"""Unknowns of AI conversations: the host's hangup, ends, restarts and joins."""

from local.simulator.unknowns.model import Answer, Unknown

_COMMANDS = "https://developers.telnyx.com/api-reference/call-commands"
_START = "https://developers.telnyx.com/docs/voice/programmable-voice/ai-assistant-start"
_JOIN = f"{_COMMANDS}/join-ai-assistant-conversation"
_CATALOG = "https://developers.telnyx.com/data/webhook-events.json"
_ENDED = "https://developers.telnyx.com/api-reference/callbacks/call-conversation-ended"
_GUESTS = "https://developers.telnyx.com/docs/inference/ai-assistants/multi-participant-calls"
_POLICY_PILOT = "https://github.com/frenkelfinancial/PolicyPilot"
_CODE_EXAMPLES = "https://github.com/team-telnyx/telnyx-code-examples"

UNKNOWNS = (
    Unknown(
        id="host-hangup",
        question="What becomes of the assistant when the host hangs up and a guest stays?",
        answers=(
            Answer(
                "ends",
                "The conversation ends, and call.conversation.ended comes.",
                "Partyline hangs the guests up, or restarts the assistant for them.",
                {"host_hangup": "ends"},
            ),
            Answer(
                "continues",
                "The assistant goes on with the guests.",
                "Partyline stops the assistant, or lets the guests go on.",
                {"host_hangup": "continues"},
            ),
        ),
        assumed="ends",
        confidence="unknown",
        sources=(_JOIN, _GUESTS, "decision 14"),
        evidence="Join a guest, hang the host up, and wait 10 s for call.conversation.ended.",
    ),
    Unknown(
        id="legs-after-end",
        question="Does Telnyx hang up the joined calls when the conversation ends?",
        answers=(
            Answer(
                "stay",
                "The calls stay up and are billed.",
                "Partyline hangs up the calls that it made.",
                {"end_hangs_up_guests": False},
            ),
            Answer(
                "hung-up",
                "The joined calls are hung up, except after a stop.",
                "The guests count as left, and no hangup is sent.",
                {"end_hangs_up_guests": True},
            ),
        ),
        assumed="stay",
        confidence="documented",
        sources=(_START, "decision 43"),
        evidence="End the conversation with a joined guest, and retrieve the guest's call 5 s "
        "later: is_alive.",
    ),
    Unknown(
        id="stop-event",
        question="Which webhook follows ai_assistant_stop?",
        answers=(
            Answer(
                "ended",
                "call.conversation.ended, as after any other end.",
                "The webhook confirms the end.",
                {"stop_sends_end": True},
            ),
            Answer(
                "none",
                "No webhook.",
                "The response to the stop counts as the end.",
                {"stop_sends_end": False},
            ),
        ),
        assumed="ended",
        confidence="observed",
        sources=(_START, _POLICY_PILOT),
        evidence="Stop an assistant, and wait 10 s for call.conversation.ended.",
    ),
    Unknown(
        id="start-again",
        question="Can an assistant start on a call whose assistant was stopped?",
        answers=(
            Answer(
                "accepted",
                "The start makes a new conversation.",
                "Partyline starts the assistant.",
                {"start_again": True},
            ),
            Answer(
                "refused",
                "422 with code 10015.",
                "The conversation fails with `assistant_start_failed`.",
                {"start_again": False},
            ),
        ),
        assumed="accepted",
        confidence="observed",
        sources=(_CODE_EXAMPLES, "decision 138"),
        evidence="Start, stop and start an assistant on one call: status of the second start.",
    ),
    Unknown(
        id="start-on-joined",
        question="Can an assistant start on a call that was joined to another conversation?",
        answers=(
            Answer(
                "accepted",
                "The start makes a new conversation.",
                "Partyline restarts the assistant on a guest's call when the host has left.",
                {"start_on_joined": True},
            ),
            Answer(
                "refused",
                "422 with code 10015.",
                "Partyline tries each guest's call, then ends the conversation and hangs up.",
                {"start_on_joined": False},
            ),
        ),
        assumed="accepted",
        confidence="unknown",
        sources=(_START, _JOIN, "decision 43"),
        evidence="Join a guest, end the conversation, and start an assistant on the guest's call.",
    ),
    Unknown(
        id="end-count",
        question="How many call.conversation.ended follow the end of a conversation?",
        answers=(
            Answer(
                "once",
                "One, for the call on which the assistant started.",
                "The webhook ends the conversation.",
                {"ended_once_per_leg": False},
            ),
            Answer(
                "per-call",
                "One for each call that is in the conversation.",
                "The first webhook ends the conversation; the others have no effect.",
                {"ended_once_per_leg": True},
            ),
        ),
        assumed="once",
        confidence="unknown",
        sources=(_ENDED,),
        evidence="Join a guest, stop the assistant, and count call.conversation.ended for 10 s.",
    ),
    Unknown(
        id="end-order",
        question="Does call.conversation.ended come before or after the host's call.hangup?",
        answers=(
            Answer(
                "after",
                "After call.hangup, within a second.",
                "The hangup ends the conversation.",
                {"end_before_hangup": False},
            ),
            Answer(
                "before",
                "Before call.hangup.",
                "The assistant's end is held open until the hangup explains the end.",
                {"end_before_hangup": True},
            ),
        ),
        assumed="after",
        confidence="observed",
        sources=(_ENDED, "published reports on live calls, July 2026"),
        evidence="Hang the host up, and compare `occurred_at` of both webhooks.",
    ),
    Unknown(
        id="end-names-conversation",
        question="Does call.conversation.ended name the conversation?",
        answers=(
            Answer(
                "named",
                "The payload has conversation_id.",
                "The webhook ends the run with this id.",
                {"end_names_conversation": True},
            ),
            Answer(
                "unnamed",
                "The payload has no conversation_id.",
                "The webhook ends the run of its call.",
                {"end_names_conversation": False},
            ),
        ),
        assumed="named",
        confidence="documented",
        sources=(_ENDED,),
        evidence="The payload of call.conversation.ended.",
    ),
    Unknown(
        id="insights-name-conversation",
        question="Does call.conversation_insights.generated name the conversation?",
        answers=(
            Answer(
                "unnamed",
                "The payload has the ids of the call only.",
                "The insights belong to the run of the call.",
                {"insights_name_conversation": False},
            ),
            Answer(
                "named",
                "The payload has conversation_id.",
                "The insights belong to the run with this id.",
                {"insights_name_conversation": True},
            ),
        ),
        assumed="unnamed",
        confidence="observed",
        sources=(_CATALOG, "decision 139"),
        evidence="The payload of call.conversation_insights.generated.",
    ),
    Unknown(
        id="analysis",
        question="Does call.analyzed come without being asked for?",
        answers=(
            Answer(
                "sent",
                "Seconds after the insights.",
                "Partyline publishes the cost and the recordings.",
                {"analyzed_after_secs": 8.0},
            ),
            Answer(
                "absent",
                "The webhook does not come.",
                "The insights come from their webhook, else from a request.",
                {"analyzed_after_secs": None},
            ),
        ),
        assumed="sent",
        confidence="observed",
        sources=(_CATALOG, "decision 108"),
        evidence="Wait 60 s after the end of a conversation for call.analyzed.",
    ),
    Unknown(
        id="second-join",
        question="What answers Telnyx to a second join of the same call?",
        answers=(
            Answer(
                "refused",
                "422 with code 10015.",
                "Partyline never joins a call twice under two command ids.",
                {"refuses_second_join": True},
            ),
            Answer(
                "accepted",
                "200 without a further effect.",
                "Partyline never joins a call twice under two command ids.",
                {"refuses_second_join": False},
            ),
        ),
        assumed="refused",
        confidence="unknown",
        sources=(_JOIN,),
        evidence="Join a call twice with two command ids: status of the second join.",
    ),
    Unknown(
        id="guest-limit",
        question="How many guests can a conversation have?",
        answers=(
            Answer(
                "many",
                "At least the guests of Partyline's own limit.",
                "Partyline's limit of participants counts.",
                {"guest_limit": None},
            ),
            Answer(
                "one",
                "One guest; a further join is refused with 422 and code 10015.",
                "The refused guest is hung up, and the assistant is told.",
                {"guest_limit": 1},
            ),
        ),
        assumed="many",
        confidence="unknown",
        sources=(_GUESTS,),
        evidence="Join two guests to one conversation: status of the second join.",
    ),
    Unknown(
        id="join-other-connection",
        question="Can a call of another connection join?",
        answers=(
            Answer(
                "accepted",
                "The connection makes no difference.",
                "Partyline joins live calls of other applications.",
                {"joins_other_connections": True},
            ),
            Answer(
                "refused",
                "422 with code 10015.",
                "The guest fails, and the assistant is told.",
                {"joins_other_connections": False},
            ),
        ),
        assumed="accepted",
        confidence="unknown",
        sources=(_JOIN,),
        evidence="Join a call of a second application: status and code.",
    ),
    Unknown(
        id="join-bridged",
        question="Does a join send call.bridged?",
        answers=(
            Answer(
                "none",
                "No call.bridged.",
                "call.bridged on the host's call means a transfer.",
                {"join_sends_bridged": False},
            ),
            Answer(
                "bridged",
                "call.bridged for both calls.",
                "While a guest is joined, the calls of the session decide whether the assistant "
                "has transferred the host.",
                {"join_sends_bridged": True},
            ),
        ),
        assumed="none",
        confidence="unknown",
        sources=(_JOIN, _CATALOG, "decision 106"),
        evidence="Join a guest, and wait 5 s for call.bridged.",
    ),
    Unknown(
        id="turn-webhooks",
        question="Does call.conversation.messages_added come at each turn?",
        answers=(
            Answer(
                "none",
                "The webhook does not come.",
                "Nothing differs.",
                {"sends_messages_added": False},
            ),
            Answer(
                "each-turn",
                "The webhook comes at each turn, undocumented.",
                "Partyline stores the messages for a conversation with `live_transcript`, and else "
                "counts the webhooks and ignores them.",
                {"sends_messages_added": True},
            ),
        ),
        assumed="none",
        confidence="observed",
        sources=(_POLICY_PILOT, _CODE_EXAMPLES, "decision 109"),
        evidence="Count call.conversation.messages_added in a conversation with a greeting.",
    ),
    Unknown(
        id="messages-added-rows",
        question="Which messages does call.conversation.messages_added bring?",
        answers=(
            Answer(
                "new",
                "The new messages only.",
                "Partyline adds them. A lost webhook is made good at the end.",
                {"messages_added_rows": "new"},
            ),
            Answer(
                "all",
                "Every message of the conversation until then.",
                "Partyline stores the difference. The next webhook makes good a lost one.",
                {"messages_added_rows": "all"},
            ),
        ),
        assumed="new",
        confidence="unknown",
        sources=(_POLICY_PILOT, _CODE_EXAMPLES),
        evidence="Speak twice, and compare the messages of the second webhook with the first.",
    ),
    Unknown(
        id="end-messages",
        question="Which messages does call.conversation.ended bring?",
        answers=(
            Answer(
                "all",
                "The words of people and of the assistant.",
                "Partyline stores them as the transcript.",
                {"ended_messages": "all"},
            ),
            Answer(
                "of-people",
                "The words of people alone, as in a live capture of July 2026.",
                "Partyline fetches the messages of the conversation a minute after its end.",
                {"ended_messages": "of_people"},
            ),
            Answer(
                "none",
                "No messages.",
                "Partyline fetches the messages of the conversation a minute after its end.",
                {"ended_messages": "none"},
            ),
        ),
        assumed="all",
        confidence="conflicting",
        sources=(_ENDED,),
        evidence="Let the assistant greet and the host speak, end the conversation, and read the "
        "roles of `messages`.",
    ),
    Unknown(
        id="redaction",
        question="How are messages redacted when data retention is off?",
        answers=(
            Answer(
                "null",
                "The content is null.",
                "Partyline fetches the messages, which may be redacted too, and then calls the "
                "transcript not complete.",
                {"redaction": "null"},
            ),
            Answer(
                "mark",
                "The content is `[REDACTED]`.",
                "The same.",
                {"redaction": "mark"},
            ),
            Answer(
                "left-out",
                "The messages are left out.",
                "The same.",
                {"redaction": "left_out"},
            ),
        ),
        assumed="null",
        confidence="unknown",
        sources=(_ENDED,),
        evidence="Switch data retention off, end a conversation, and read the contents.",
    ),
    Unknown(
        id="transfer-order",
        question="In which order come the webhooks when the assistant transfers the host?",
        answers=(
            Answer(
                "ended-first",
                "call.conversation.ended, then call.bridged.",
                "Partyline waits after an unexplained end, and gives the call back at the bridge.",
                {"transfer_order": "ended_first"},
            ),
            Answer(
                "bridged-first",
                "call.bridged, then call.conversation.ended.",
                "Partyline gives the call back at the bridge.",
                {"transfer_order": "bridged_first"},
            ),
            Answer(
                "ended-at-once",
                "call.conversation.ended before the other phone rings.",
                "Partyline waits 35 s for call.bridged, and then looks at the session's calls.",
                {"transfer_order": "ended_at_once"},
            ),
        ),
        assumed="ended-first",
        confidence="unknown",
        sources=(_ENDED, _CATALOG, "decision 106"),
        evidence="Give an assistant a transfer tool, ask for the transfer, and compare "
        "`occurred_at` of both webhooks.",
    ),
    Unknown(
        id="prepared-assistant",
        question="How soon does a prepared assistant begin after the answer?",
        answers=(
            Answer(
                "at-once",
                "0.1 s after the answer.",
                "The conversation is active with the answer.",
                {"warm_created_after_secs": 0.1},
            ),
            Answer(
                "late",
                "2 s after the answer, as a start on its own.",
                "The conversation is connecting for 2 s.",
                {"warm_created_after_secs": 2.0},
            ),
        ),
        assumed="at-once",
        confidence="documented",
        sources=(f"{_COMMANDS}/answer-call", "decision 101"),
        evidence="Answer with an assistant, and measure from call.answered to "
        "call.conversation.created.",
    ),
)

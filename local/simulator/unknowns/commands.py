"""Unknowns of commands: repetitions, optional fields and refusals."""

from local.simulator.unknowns.model import Answer, Unknown

_COMMANDS = "https://developers.telnyx.com/api-reference/call-commands"
_DIAL = f"{_COMMANDS}/dial"
_START = "https://developers.telnyx.com/docs/voice/programmable-voice/ai-assistant-start"
_JOIN = f"{_COMMANDS}/join-ai-assistant-conversation"
_MESSAGES = f"{_COMMANDS}/add-messages-to-ai-assistant"
_RETRIES = "https://developers.telnyx.com/docs/voice/programmable-voice/command-retries"
_ERRORS = "https://developers.telnyx.com/docs/overview/errors"


def _duplicate(command: str, setting: str, ids: str, recovery: str, source: str) -> Unknown:
    return Unknown(
        id=f"duplicate-{command}",
        question=f"What answers Telnyx to a {command} whose command_id it has seen?",
        answers=(
            Answer(
                "bare",
                f"200 without {ids}.",
                recovery,
                {setting: "bare"},
            ),
            Answer(
                "same",
                "200 with the first response.",
                f"Partyline reads {ids} from the response.",
                {setting: "same"},
            ),
            Answer(
                "refused",
                "422 with code 10015 and the pointer /command_id.",
                f"Partyline counts the first {command} as accepted. {recovery}",
                {setting: "refused"},
            ),
        ),
        assumed="bare",
        confidence="unknown",
        sources=(source, _RETRIES, "decision 4"),
        evidence=(
            f"Send the same {command} twice within 2 s, with one command_id. Compare the status "
            "and the body of both responses, and count the effects in GET /call_events."
        ),
    )


UNKNOWNS = (
    _duplicate(
        "dial",
        "duplicate_dial",
        "a call_control_id",
        "Partyline searches the call among the active calls, by client_state.",
        _DIAL,
    ),
    _duplicate(
        "start",
        "duplicate_start",
        "a conversation_id",
        "Partyline takes the id from call.conversation.created, else from the list of AI "
        "conversations.",
        _START,
    ),
    _duplicate(
        "join",
        "duplicate_join",
        "a conversation_id",
        "Partyline counts the guest as joined; a join needs no id.",
        _JOIN,
    ),
    Unknown(
        id="refused-command-id",
        question="Does a refused command use up its command_id?",
        answers=(
            Answer(
                "free",
                "The same command_id may be sent again, and takes effect.",
                "Nothing differs: a changed command has a new command_id.",
                {"refusal_uses_command_id": False},
            ),
            Answer(
                "used",
                "Telnyx ignores the command_id after the refusal.",
                "Nothing differs: a changed command has a new command_id.",
                {"refusal_uses_command_id": True},
            ),
        ),
        assumed="free",
        confidence="unknown",
        sources=(_RETRIES, "decision 90"),
        evidence="Send a speak without a payload, then a valid speak with the same command_id: "
        "call.speak.started comes or does not come.",
    ),
    Unknown(
        id="webhook-urls-form",
        question="Does `webhook_urls` map an event type to a list of URLs or to one URL?",
        answers=(
            Answer(
                "list",
                "A list; one URL is refused with 422.",
                "Partyline sends lists.",
                {"webhook_urls_form": "list"},
            ),
            Answer(
                "text",
                "One URL; a list is refused with 422.",
                "Partyline sends single URLs after the first refusal, in each process.",
                {"webhook_urls_form": "text"},
            ),
        ),
        assumed="list",
        confidence="conflicting",
        sources=(
            _DIAL,
            "https://github.com/team-telnyx/telnyx-python",
            "decision 22",
        ),
        evidence="Dial with a list for call.answered. A 422 names /webhook_urls, or "
        "GET /webhook_deliveries shows the URL that got call.answered.",
    ),
    Unknown(
        id="conversation-keys",
        question="Does `webhook_urls` take the types call.conversation.*?",
        answers=(
            Answer(
                "refused",
                "422 with code 90057.",
                "Partyline leaves these types out; their webhooks go to `webhook_url`.",
                {"accepts_conversation_keys": False},
            ),
            Answer(
                "taken",
                "These webhooks go to their URL.",
                "Each webhook reaches its own function.",
                {"accepts_conversation_keys": True, "ignores_conversation_keys": False},
            ),
            Answer(
                "ignored",
                "200, and these webhooks go to `webhook_url` all the same.",
                "Every function takes every type, so only a cold start is lost.",
                {"accepts_conversation_keys": True, "ignores_conversation_keys": True},
            ),
        ),
        assumed="refused",
        confidence="unknown",
        sources=(_DIAL, f"{_ERRORS}/90057", "decision 22"),
        evidence="Dial with call.conversation.ended as a key, start and stop the assistant, and "
        "read the URL of call.conversation.ended in GET /webhook_deliveries.",
    ),
    Unknown(
        id="join-path",
        question="Which call is in the path of ai_assistant_join?",
        answers=(
            Answer(
                "guest",
                "The joining call; another call is refused.",
                "Partyline sends the joining call first.",
                {"join_path": "guest"},
            ),
            Answer(
                "host",
                "The call of the assistant; another call is refused.",
                "Partyline sends the join again on the assistant's call, with command.changed.",
                {"join_path": "host"},
            ),
            Answer(
                "either",
                "Both calls are accepted.",
                "Partyline sends the joining call.",
                {"join_path": "either"},
            ),
        ),
        assumed="guest",
        confidence="conflicting",
        sources=(_JOIN, "https://github.com/team-telnyx/telnyx-code-examples", "decision 92"),
        evidence="Join a second call on its own path, then a third call on the assistant's path, "
        "and compare the statuses.",
    ),
    Unknown(
        id="unknown-assistant",
        question="Which refusal has a start with an unknown assistant?",
        answers=(
            Answer(
                "404",
                "404 with code 10005.",
                "The conversation fails with `assistant_start_failed`.",
                {"unknown_assistant": (404, "10005")},
            ),
            Answer(
                "422",
                "422 with code 10015.",
                "The conversation fails with `assistant_start_failed`.",
                {"unknown_assistant": (422, "10015")},
            ),
            Answer(
                "400",
                "400 with code 10015.",
                "The conversation fails with `assistant_start_failed`.",
                {"unknown_assistant": (400, "10015")},
            ),
        ),
        assumed="404",
        confidence="unknown",
        sources=(_START, _ERRORS, "decision 25"),
        evidence="Start an assistant with a random id on an answered call: status and code.",
    ),
    Unknown(
        id="unknown-conversation",
        question="Which refusal has a join to an unknown or ended conversation?",
        answers=tuple(
            Answer(
                f"{status}-{code}",
                f"{status} with code {code}.",
                "The guest's call is hung up, and the assistant is told.",
                {"unknown_conversation": (status, code)},
            )
            for status, code in ((404, "10007"), (422, "10007"), (400, "10007"), (404, "10005"))
        ),
        assumed="404-10007",
        confidence="observed",
        sources=(_JOIN, "https://github.com/team-telnyx/webrtc", "decision 92"),
        evidence="Join an answered call to a random conversation id, and to the id of an ended "
        "conversation: status and code of both.",
    ),
    Unknown(
        id="no-assistant",
        question="What answers Telnyx to a stop or a message without a running assistant?",
        answers=(
            Answer(
                "422",
                "422 with code 10015.",
                "A stop counts as done; a message has failed.",
                {"no_assistant": (422, "10015")},
            ),
            Answer(
                "404",
                "404 with code 10005.",
                "A stop counts as done; the call is polled, and the message has failed.",
                {"no_assistant": (404, "10005")},
            ),
            Answer(
                "ok",
                "200 without an effect.",
                "A stop counts as done; a message counts as delivered.",
                {"no_assistant": (200, "")},
            ),
        ),
        assumed="422",
        confidence="unknown",
        sources=(_START, _MESSAGES, "decision 25"),
        evidence="Stop a call without an assistant, and send a message to the call: status and "
        "code of both.",
    ),
    Unknown(
        id="ended-call-messages",
        question="Which refusal has a message to an ended call?",
        answers=(
            Answer(
                "422",
                "422 with code 90018, as other commands.",
                "The call counts as ended.",
                {"ended_call_add_messages": 422},
            ),
            Answer(
                "404",
                "404, as the page on asynchronous tools says.",
                "The call is polled.",
                {"ended_call_add_messages": 404},
            ),
        ),
        assumed="422",
        confidence="conflicting",
        sources=(_MESSAGES, f"{_ERRORS}/90018", "decision 25"),
        evidence="Send a message to a call a second after its call.hangup: status and code.",
    ),
    Unknown(
        id="message-history",
        question="Does a start accept `message_history`?",
        answers=(
            Answer(
                "accepted",
                "The assistant knows the history.",
                "Partyline sends the history once.",
                {"refuses_message_history": False},
            ),
            Answer(
                "refused",
                "422 with code 10000 and the pointer /message_history.",
                "Partyline starts without the history, with command.changed.",
                {"refuses_message_history": True},
            ),
        ),
        assumed="accepted",
        confidence="conflicting",
        sources=(_START, "https://github.com/frenkelfinancial/PolicyPilot", "decision 90"),
        evidence="Start an assistant with a history of one row: status, code and pointer.",
    ),
    Unknown(
        id="client-state-omitted",
        question="Does a command without `client_state` keep the call's client_state?",
        answers=(
            Answer(
                "kept",
                "Later webhooks have the earlier client_state.",
                "Webhooks are assigned by their ids, and by client_state as a hint.",
                {"clears_client_state": False},
            ),
            Answer(
                "cleared",
                "Later webhooks have no client_state.",
                "Webhooks are assigned by their ids.",
                {"clears_client_state": True},
            ),
        ),
        assumed="kept",
        confidence="unknown",
        sources=(_DIAL, "decision 8"),
        evidence="Dial with a client_state, speak without: client_state of call.speak.ended.",
    ),
    Unknown(
        id="start-response",
        question="How long does a start take to answer?",
        answers=(
            Answer(
                "at-once",
                "Less than a second.",
                "Partyline reads the conversation id from the response.",
                {"start_held_secs": 0.0},
            ),
            Answer(
                "slow",
                "2.5 seconds.",
                "Partyline waits up to 4 s; call.conversation.created may come first.",
                {"start_held_secs": 2.5},
            ),
        ),
        assumed="at-once",
        confidence="observed",
        sources=("https://github.com/frenkelfinancial/PolicyPilot", "decision 4"),
        evidence="Time from the request of ai_assistant_start to its response.",
    ),
)

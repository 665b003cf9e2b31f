"""Unknowns of Telnyx's queries: fields of calls, and how soon lists have what is new."""

from local.simulator.unknowns.model import Answer, Unknown

_API = "https://developers.telnyx.com/api-reference"
_ACTIVE = f"{_API}/call-information/list-all-active-calls-for-given-connection"
_STATUS = f"{_API}/call-information/retrieve-a-call-status"
_EVENTS = f"{_API}/debugging/list-call-events"
_CLIENT = "https://github.com/team-telnyx/telnyx-python"

_MESSAGES = f"{_API}/conversations/get-conversation-messages"

UNKNOWNS = (
    Unknown(
        id="messages-order",
        question="In which order does GET /ai/conversations/{id}/messages list the messages?",
        answers=(
            Answer(
                "oldest-first",
                "The oldest message comes first.",
                "Partyline stores the messages as they come.",
                {"messages_newest_first": False},
            ),
            Answer(
                "newest-first",
                "The newest message comes first.",
                "Partyline turns the list around, by the times of its ends.",
                {"messages_newest_first": True},
            ),
        ),
        assumed="oldest-first",
        confidence="unknown",
        sources=(_MESSAGES,),
        evidence="List the messages of a conversation with a greeting and an answer.",
    ),
    Unknown(
        id="active-client-state",
        question="Do active calls have our client_state?",
        answers=(
            Answer(
                "present",
                "Each row has the client_state of its call.",
                "Partyline finds a lost dial by client_state.",
                {"lists_client_state": True},
            ),
            Answer(
                "absent",
                "The field is empty.",
                "A lost dial is found by its webhooks; else the plan goes on, and the call is "
                "hung up at its first webhook.",
                {"lists_client_state": False},
            ),
        ),
        assumed="present",
        confidence="documented",
        sources=(_ACTIVE, "decision 4"),
        evidence="Dial with a client_state, and list the active calls of the connection.",
    ),
    Unknown(
        id="call-duration",
        question="From when does call_duration count?",
        answers=(
            Answer(
                "answer",
                "From the answer.",
                "A poll tells that the call was answered.",
                {"duration_counts_from": "answer"},
            ),
            Answer(
                "dial",
                "From the dial.",
                "A poll of a call that rings also asks for the webhooks of the call.",
                {"duration_counts_from": "start"},
            ),
            Answer(
                "end",
                "The field is absent or 0 until the end.",
                "After the ring timeout, the webhooks of the call tell whether it was answered.",
                {"duration_counts_from": "end"},
            ),
        ),
        assumed="answer",
        confidence="documented",
        sources=(_STATUS, "decision 181"),
        evidence="Retrieve a call 5 s after its dial while it rings, and 5 s after its answer.",
    ),
    Unknown(
        id="ringing-alive",
        question="Is a call that rings is_alive?",
        answers=(
            Answer(
                "yes",
                "`is_alive` is true from the dial.",
                "A poll tells a lost hangup of a call that rings.",
                {"ringing_is_alive": True},
            ),
            Answer(
                "no",
                "`is_alive` is false until the answer.",
                "A call that rings ends only with an end_time, or after its ring timeout.",
                {"ringing_is_alive": False},
            ),
        ),
        assumed="yes",
        confidence="unknown",
        sources=(_STATUS, "decision 181"),
        evidence="Retrieve a call while it rings.",
    ),
    Unknown(
        id="conversations-listed",
        question="How soon does the list of AI conversations find a new conversation by its call?",
        answers=(
            Answer(
                "at-once",
                "With the response to the start.",
                "Partyline finds a lost start at the first search.",
                {"listed_after_secs": 0.0},
            ),
            Answer(
                "seconds",
                "After 5 s.",
                "Partyline searches up to three times.",
                {"listed_after_secs": 5.0},
            ),
            Answer(
                "minutes",
                "After 2 minutes.",
                "call.conversation.created names the conversation.",
                {"listed_after_secs": 120.0},
            ),
        ),
        assumed="at-once",
        confidence="unknown",
        sources=(_CLIENT, "decision 101"),
        evidence="Search the conversation by metadata->call_control_id each second after a start.",
    ),
    Unknown(
        id="calls-listed",
        question="How soon do the active calls have a new call?",
        answers=(
            Answer(
                "at-once",
                "With the response to the dial.",
                "Partyline finds a lost dial at the first search.",
                {"active_listed_after_secs": 0.0},
            ),
            Answer(
                "seconds",
                "After 5 s.",
                "Partyline finds a lost dial at a later search, or by its webhooks.",
                {"active_listed_after_secs": 5.0},
            ),
        ),
        assumed="at-once",
        confidence="unknown",
        sources=(_ACTIVE, "decision 4"),
        evidence="List the active calls each second after a dial.",
    ),
    Unknown(
        id="calls-kept",
        question="How long do the active calls have a call after its end?",
        answers=(
            Answer(
                "not",
                "An ended call is not in the list.",
                "A census finds a lost hangup within a minute.",
                {"active_kept_after_secs": 0.0},
            ),
            Answer(
                "seconds",
                "For 30 s.",
                "A census finds a lost hangup a census later.",
                {"active_kept_after_secs": 30.0},
            ),
        ),
        assumed="not",
        confidence="unknown",
        sources=(_ACTIVE, "decision 179"),
        evidence="List the active calls each second after a hangup.",
    ),
    Unknown(
        id="events-listed",
        question="How soon does GET /call_events list a command?",
        answers=(
            Answer(
                "at-once",
                "With the response to the command.",
                "A doubtful join, message or screening is found there.",
                {"events_listed_after_secs": 0.0},
            ),
            Answer(
                "late",
                "After an hour.",
                "A doubtful join, message or screening is given up with an event.",
                {"events_listed_after_secs": 3600.0},
            ),
        ),
        assumed="at-once",
        confidence="unknown",
        sources=(_EVENTS, "decision 99"),
        evidence="List the events of a call each second after a speak.",
    ),
    Unknown(
        id="events-command-id",
        question="Does GET /call_events show the command_id of a command?",
        answers=(
            Answer(
                "present",
                "`metadata` has the body of the command.",
                "A doubtful command is found by its command_id.",
                {"events_name_commands": True},
            ),
            Answer(
                "absent",
                "`metadata` has no command_id.",
                "A doubtful join, message or screening is given up with an event.",
                {"events_name_commands": False},
            ),
        ),
        assumed="present",
        confidence="unknown",
        sources=(_EVENTS, "decision 99"),
        evidence="List the events of a call after a speak with a command_id.",
    ),
)

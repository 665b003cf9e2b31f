"""Settings of the simulated Telnyx; the defaults of unknown facts are the assumed answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from local.simulator.model import Person
from local.simulator.unknowns import ASSUMED, settings_of

# Test key 1 of RFC 8032: published, so safe to commit, and only fit for a simulator.
PUBLISHED_TEST_SEED = bytes.fromhex(
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
)

CALL_EVENTS = frozenset(
    {
        "call.initiated",
        "call.answered",
        "call.hangup",
        "call.bridged",
        "call.cost",
        "call.hold",
        "call.unhold",
        "call.dtmf.received",
        "call.gather.ended",
        "call.machine.detection.ended",
        "call.machine.greeting.ended",
        "call.machine.premium.call_screening.detected",
        "call.machine.premium.detection.ended",
        "call.machine.premium.detection.started",
        "call.machine.premium.greeting.ended",
        "call.playback.started",
        "call.playback.ended",
        "call.recording.saved",
        "call.speak.started",
        "call.speak.ended",
    }
)


DuplicateReply = Literal["bare", "same", "refused"]


@dataclass
class Settings:
    """Keys, URLs, timings, and the behaviour that Telnyx does not publish.

    `webhook_url` and `failover_url` belong to the application with the id `connection_id`. Timings
    are seconds of the simulator's clock.
    """

    api_key: str = "KEY-of-the-simulator"
    signing_seed: bytes = PUBLISHED_TEST_SEED
    connection_id: str = "2811212257810187875"
    webhook_url: str | None = None
    failover_url: str | None = None
    # None: every well-formed id exists; otherwise exactly these ids exist.
    assistants: frozenset[str] | None = None
    # The stored voice of each assistant, and None: every voice exists.
    stored_voice: str = "telnyx.Natural.Marissa"
    voices: frozenset[str] | None = None
    # The account's numbers, which belong to the application.
    numbers: tuple[str, ...] = ("+13125550100",)
    default_person: Person = field(default_factory=lambda: Person("", answer_after_secs=1.0))
    # Whether a phone that is in a call is busy for another call; otherwise the phone rings again.
    busy_in_call: bool = False
    greeting: str = "Hello, how can I help?"
    # Pairs of a word and the assistant's answer to a sentence with this word. Empty: no answers.
    script: tuple[tuple[str, str], ...] = ()
    reply_after_secs: float = 1.2
    # The URLs of audio files that Telnyx cannot play.
    missing_audio: frozenset[str] = frozenset()

    created_after_secs: float = 0.7
    # How long Telnyx prepares the assistant of an answer before the call is answered.
    warm_up_secs: float = 0.7
    ended_after_secs: float = 0.2
    # None: the assistant has no insight group.
    insights_after_secs: float | None = 3.0
    insight_results: list[Any] = field(
        default_factory=lambda: [
            "The caller asked about opening hours and was told.",
            {"sentiment": "positive"},
        ]
    )
    detection_after_secs: float = 0.5
    # From a screening phone's first verdict, `machine`, to the end of its prompt, and from there to
    # the second verdict.
    screening_after_secs: float = 2.0
    screened_verdict_after_secs: float = 4.0
    # 2 as with call screening, where a second verdict follows; 0 as with a beep and no verdict.
    detection_times: int = 1
    # Options of the account: `conversation_ended_full_history` gives `messages` system and tool
    # messages too; without data retention messages are redacted; the reason in
    # `call.conversation.ended` of a transfer.
    ended_full_history: bool = False
    retains_data: bool = True
    transfer_reason: str | None = None

    # Unknown behaviour of the real Telnyx: local/simulator/unknowns has the meaning of each value.
    duplicate_dial: DuplicateReply = ASSUMED["duplicate_dial"]
    duplicate_start: DuplicateReply = ASSUMED["duplicate_start"]
    duplicate_join: DuplicateReply = ASSUMED["duplicate_join"]
    refusal_uses_command_id: bool = ASSUMED["refusal_uses_command_id"]
    webhook_urls_form: Literal["list", "text"] = ASSUMED["webhook_urls_form"]
    accepts_conversation_keys: bool = ASSUMED["accepts_conversation_keys"]
    ignores_conversation_keys: bool = ASSUMED["ignores_conversation_keys"]
    join_path: Literal["guest", "host", "either"] = ASSUMED["join_path"]
    # Refusals: the HTTP status and the code. With 200 the command has no effect.
    unknown_assistant: tuple[int, str] = ASSUMED["unknown_assistant"]
    unknown_conversation: tuple[int, str] = ASSUMED["unknown_conversation"]
    no_assistant: tuple[int, str] = ASSUMED["no_assistant"]
    ended_call_add_messages: Literal[404, 422] = ASSUMED["ended_call_add_messages"]
    refuses_message_history: bool = ASSUMED["refuses_message_history"]
    clears_client_state: bool = ASSUMED["clears_client_state"]
    # The answer to a start is held, then `call.conversation.created` and the greeting come.
    start_held_secs: float = ASSUMED["start_held_secs"]

    voice_state: Literal["latest", "own"] = ASSUMED["voice_state"]
    stopped_speech_status: str = ASSUMED["stopped_speech_status"]
    refuses_voice_with_assistant: bool = ASSUMED["refuses_voice_with_assistant"]

    host_hangup: Literal["ends", "continues"] = ASSUMED["host_hangup"]
    end_hangs_up_guests: bool = ASSUMED["end_hangs_up_guests"]
    stop_sends_end: bool = ASSUMED["stop_sends_end"]
    start_again: bool = ASSUMED["start_again"]
    start_on_joined: bool = ASSUMED["start_on_joined"]
    ended_once_per_leg: bool = ASSUMED["ended_once_per_leg"]
    end_before_hangup: bool = ASSUMED["end_before_hangup"]
    end_names_conversation: bool = ASSUMED["end_names_conversation"]
    insights_name_conversation: bool = ASSUMED["insights_name_conversation"]
    # None: no `call.analyzed`.
    analyzed_after_secs: float | None = ASSUMED["analyzed_after_secs"]
    # None: no `call.cost`, whatever the application's settings are.
    call_cost_after_secs: float | None = ASSUMED["call_cost_after_secs"]
    refuses_second_join: bool = ASSUMED["refuses_second_join"]
    guest_limit: int | None = ASSUMED["guest_limit"]
    joins_other_connections: bool = ASSUMED["joins_other_connections"]
    join_sends_bridged: bool = ASSUMED["join_sends_bridged"]
    sends_messages_added: bool = ASSUMED["sends_messages_added"]
    messages_added_rows: Literal["new", "all"] = ASSUMED["messages_added_rows"]
    ended_messages: Literal["all", "of_people", "none"] = ASSUMED["ended_messages"]
    # Of an account without data retention.
    redaction: Literal["null", "mark", "left_out"] = ASSUMED["redaction"]
    transfer_order: Literal["ended_at_once", "ended_first", "bridged_first"] = ASSUMED[
        "transfer_order"
    ]
    # From the answer to `call.conversation.created` of a prepared assistant.
    warm_created_after_secs: float = ASSUMED["warm_created_after_secs"]

    # After the prompt of a screening phone without a tone; the results at the end of Telnyx's time
    # for a greeting, and of a premium detection after a greeting without a beep.
    second_verdict_without_tone: bool = ASSUMED["second_verdict_without_tone"]
    endless_greeting: str | None = ASSUMED["endless_greeting"]
    greeting_without_beep: str | None = ASSUMED["greeting_without_beep"]
    beep_after_prompt: bool = ASSUMED["beep_after_prompt"]

    redelivery_id: Literal["same", "new"] = ASSUMED["redelivery_id"]
    redelivery_signature: Literal["new", "first"] = ASSUMED["redelivery_signature"]
    # The pauses before further deliveries, without a policy of the call.
    retries_ms: tuple[int, ...] = ASSUMED["retries_ms"]
    sparse_webhooks: bool = ASSUMED["sparse_webhooks"]
    names_connection: bool = ASSUMED["names_connection"]
    event_names: Literal["dots", "underscores"] = ASSUMED["event_names"]
    # None: the version of the application's setting.
    body_version: Literal["1"] | None = ASSUMED["body_version"]
    sends_ai_twins: bool = ASSUMED["sends_ai_twins"]
    new_ids_at_answer: Literal["", "call", "all"] = ASSUMED["new_ids_at_answer"]
    time_limit_cause: Literal["time_limit", "normal_clearing"] = ASSUMED["time_limit_cause"]

    stop_hangs_up_guests: bool = ASSUMED["stop_hangs_up_guests"]
    connects_after_stop: bool = ASSUMED["connects_after_stop"]
    unbridged_call: Literal["hung_up", "parked"] = ASSUMED["unbridged_call"]
    start_on_bridged: bool = ASSUMED["start_on_bridged"]
    sends_conference_events: bool = ASSUMED["sends_conference_events"]
    conference_sends_bridged: bool = ASSUMED["conference_sends_bridged"]

    preset_fields: Literal["filled", "unfilled", "absent"] = ASSUMED["preset_fields"]
    tool_names: Literal["starting", "speaking"] = ASSUMED["tool_names"]
    tool_header: bool = ASSUMED["tool_header"]
    # How often a request of a tool that failed is repeated.
    tool_repeats: int = ASSUMED["tool_repeats"]

    messages_newest_first: bool = ASSUMED["messages_newest_first"]
    lists_client_state: bool = ASSUMED["lists_client_state"]
    # From when `call_duration` counts; with `end` a call that is up has the duration 0.
    duration_counts_from: Literal["answer", "start", "end"] = ASSUMED["duration_counts_from"]
    # Whether `is_alive` is true before the answer.
    ringing_is_alive: bool = ASSUMED["ringing_is_alive"]
    # How soon lists have a new conversation, a new call, a command or webhook.
    listed_after_secs: float = ASSUMED["listed_after_secs"]
    active_listed_after_secs: float = ASSUMED["active_listed_after_secs"]
    # How long the list of active calls has a call after its end.
    active_kept_after_secs: float = ASSUMED["active_kept_after_secs"]
    events_listed_after_secs: float = ASSUMED["events_listed_after_secs"]
    events_name_commands: bool = ASSUMED["events_name_commands"]

    @classmethod
    def answering(cls, answers: Mapping[str, str], **others: Any) -> "Settings":
        """Return settings that play answers: the id of an answer for the id of an unknown.

        Raises ValueError for an unknown or an answer that does not exist.
        """
        return cls(**{**others, **settings_of(answers)})

    @property
    def webhook_keys(self) -> frozenset[str]:
        """The event types that are valid keys of `webhook_urls` (others: 90057)."""
        if not self.accepts_conversation_keys:
            return CALL_EVENTS
        return CALL_EVENTS | {
            "call.conversation.created",
            "call.conversation.ended",
            "call.conversation_insights.generated",
        }


def live_timings() -> dict[str, float]:
    """Return the settings of the times that were measured on live calls, in July 2026.

    - `created_after_secs`: 0.70 and 0.94 s from the start command to `call.conversation.created`
    - `start_held_secs`: 2.5 s from a verdict to an accepted start, the application's own work
      included, so this is the upper bound
    - `detection_after_secs`: 3.5 s from the answer to the verdict of premium detection
    - `insights_after_secs`: about 8 s after the end of the conversation
    """
    return {
        "created_after_secs": 0.94,
        "start_held_secs": 2.5,
        "detection_after_secs": 3.5,
        "insights_after_secs": 8.0,
    }

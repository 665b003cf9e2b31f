"""Settings of the simulated Telnyx; a setting stands for each unknown fact about Telnyx."""

from dataclasses import dataclass, field
from typing import Any, Literal

from local.simulator.model import Person

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
    greeting: str = "Hello, how can I help?"
    # Pairs of a word and the assistant's answer to a sentence with this word. Empty: no answers.
    script: tuple[tuple[str, str], ...] = ()
    reply_after_secs: float = 1.2

    # The answer to a start is held, then `call.conversation.created` and the greeting come.
    start_held_secs: float = 0.0
    created_after_secs: float = 0.7
    # How long Telnyx prepares the assistant of an answer before the call is answered, and how soon
    # after the answer its conversation is created. Only the order is documented.
    warm_up_secs: float = 0.7
    warm_created_after_secs: float = 0.1
    ended_after_secs: float = 0.2
    # None: the assistant has no insight group.
    insights_after_secs: float | None = 3.0
    insight_results: list[Any] = field(
        default_factory=lambda: [
            "The caller asked about opening hours and was told.",
            {"sentiment": "positive"},
        ]
    )
    # None: no `call.analyzed`.
    analyzed_after_secs: float | None = 8.0
    detection_after_secs: float = 0.5
    # From an iPhone's first verdict, `machine`, to `call_screening.detected`, and from there to the
    # second verdict.
    screening_after_secs: float = 2.0
    screened_verdict_after_secs: float = 4.0
    # 2 as with call screening, where a second verdict follows; 0 as with a beep and no verdict.
    detection_times: int = 1
    # The schedule for voice is not published ("exponential backoff").
    retries_ms: tuple[int, ...] = (1000, 2000, 4000)

    # Undocumented behaviour of the real Telnyx.
    duplicate_reply: Literal["same", "bare"] = "bare"
    accepts_conversation_keys: bool = False
    # The description has lists since August 2026, and texts before.
    webhook_urls_form: Literal["list", "text"] = "list"
    # Seen live in July 2026: code 10000 with the pointer /message_history.
    refuses_message_history: bool = False
    # The status of code 10007, a join of an unknown or ended conversation.
    unknown_conversation_status: Literal[400, 404, 422] = 404
    # The leg in the path of a join: the guest's, or the leg of the assistant's conversation.
    join_path: Literal["guest", "host"] = "guest"
    # Undocumented, seen live in July 2026: `call.conversation.messages_added` at each turn.
    sends_messages_added: bool = False
    # `conversation_ended_full_history`: `messages` has system and tool messages too.
    ended_full_history: bool = False
    # The order of a transfer's webhooks, and the reason in `call.conversation.ended`. With
    # `ended_at_once` the assistant leaves before the other phone rings.
    transfer_order: Literal["ended_at_once", "ended_first", "bridged_first"] = "ended_first"
    transfer_reason: str | None = None
    host_hangup: Literal["ends", "continues"] = "ends"
    ended_once_per_leg: bool = False
    refuses_second_join: bool = True
    # A call that we dialled gets other ids at its answer: the call's own, or those of its leg too.
    new_ids_at_answer: Literal["", "call", "all"] = ""
    ended_call_add_messages: Literal[404, 422] = 422
    listed_after_secs: float = 0.0
    # How soon GET /call_events lists a command or a webhook.
    events_listed_after_secs: float = 0.0
    # From when `call_duration` counts; with `end` a call that is up has the duration 0.
    duration_counts_from: Literal["answer", "start", "end"] = "answer"
    # Whether `is_alive` is true before the answer.
    ringing_is_alive: bool = True
    # How soon the list of active calls has a call, and how long a call stays there after its end.
    active_listed_after_secs: float = 0.0
    active_kept_after_secs: float = 0.0
    # As captured on live calls: hangups without client_state, premium verdicts without call id.
    sparse_webhooks: bool = True

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

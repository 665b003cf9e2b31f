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
        "call.dtmf.received",
        "call.gather.ended",
        "call.machine.detection.ended",
        "call.machine.greeting.ended",
        "call.machine.premium.detection.ended",
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
    # The account's numbers, which belong to the application.
    numbers: tuple[str, ...] = ("+13125550100",)
    default_person: Person = field(default_factory=lambda: Person("", answer_after_secs=1.0))
    greeting: str = "Hello, how can I help?"
    # Pairs of a word and the assistant's answer to a sentence with this word. Empty: no answers.
    script: tuple[tuple[str, str], ...] = ()
    reply_after_secs: float = 1.2

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
    detection_after_secs: float = 0.5
    # 2 as with call screening, where a second verdict follows; 0 as with a beep and no verdict.
    detection_times: int = 1
    # The schedule for voice is not published ("exponential backoff").
    retries_ms: tuple[int, ...] = (1000, 2000, 4000)

    # Undocumented behaviour of the real Telnyx.
    duplicate_reply: Literal["same", "bare"] = "bare"
    accepts_conversation_keys: bool = False
    host_hangup: Literal["ends", "continues"] = "ends"
    ended_once_per_leg: bool = False
    refuses_second_join: bool = True
    ended_call_add_messages: Literal[404, 422] = 422
    listed_after_secs: float = 0.0
    # How soon GET /call_events lists a command.
    events_listed_after_secs: float = 0.0
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

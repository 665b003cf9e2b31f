"""The transcript: what was said in each run of the assistant.

The document holds a `TranscriptRun` for each run. The messages are stored beside the document, as
parts: each part replaces the messages of its run from its first position on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from partyline.domain.model.stored import Stored

SpeakerRole = Literal["user", "assistant", "tool", "system", "developer"]
"""The roles of a message (Telnyx API: call.conversation.ended, messages)."""

Source = Literal["history", "added", "end", "fetch"]
"""Where messages come from: `message_history_updated` or `messages_added` at each turn,
`call.conversation.ended`, or `GET /ai/conversations/{id}/messages`."""


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A call of a tool by the assistant. `arguments` are JSON as text."""

    id: str | None = None
    function: str | None = None
    arguments: str | None = None


@dataclass(frozen=True, kw_only=True)
class TranscriptMessage:
    """A message of a transcript.

    Attributes:
        role: `user` is the caller or another person.
        text: None when Telnyx withholds the text, or for a call of tools.
        at: when the message was spoken or added, where Telnyx tells.
        tool_calls: the tools that the assistant called.
        tool_call_id: the tool call that a message of the role `tool` answers.
        participant_id: the participant who spoke, where Telnyx tells.
        cut_from_chars: the length of a text of which only the beginning is kept.
    """

    role: SpeakerRole
    text: str | None
    at: datetime | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    participant_id: str | None = None
    cut_from_chars: int | None = None

    @property
    def is_spoken(self) -> bool:
        """Whether the message is a turn of a person or of the assistant, with its words."""
        return self.role in ("user", "assistant") and bool(self.text)

    @property
    def is_redacted(self) -> bool:
        """Whether Telnyx withholds the text (Telnyx API: call.conversation.ended, messages)."""
        return self.text is None and not self.tool_calls


@dataclass(frozen=True, kw_only=True)
class RunMessages:
    """The messages of a Telnyx conversation, all of them, in order."""

    telnyx_conversation_id: str
    messages: tuple[TranscriptMessage, ...]


@dataclass(frozen=True, kw_only=True)
class TranscriptPart:
    """Messages to store, which replace the messages of a run from the position `first` on.

    Parts of a run apply in the order of `generation` and `first`.
    """

    run: int
    generation: int
    first: int
    messages: tuple[TranscriptMessage, ...]


class TranscriptRun(Stored):
    """What the document holds of the messages of a run.

    Attributes:
        source: where the stored messages came from.
        count: the number of stored messages.
        spoken: how many of those are spoken words.
        size: the bytes of the stored messages.
        generation: the number of the newest part that contradicts the part before.
        digests: a digest of each message while the assistant runs, one after the other.
        newest_at: the time of the newest webhook about the messages.
        newest: the position of the last message of that webhook.
        cut: the bounds left out messages.
        final: the messages are all that Telnyx has.
    """

    source: Source
    count: int = 0
    spoken: int = 0
    size: int = 0
    generation: int = 0
    digests: str = ""
    newest_at: datetime | None = None
    newest: int = 0
    cut: bool = False
    final: bool = False

    @property
    def is_live(self) -> bool:
        """Whether the messages came while the assistant ran, so that more may follow."""
        return self.source in ("history", "added")


class Transcript(Stored):
    """The transcript of a conversation, without its messages."""

    live: bool = False
    """Messages are stored at each turn, not only after the end."""
    runs: dict[int, TranscriptRun] = Field(default_factory=dict)
    poll_at: datetime | None = None
    """When to fetch the messages that no webhook has brought."""
    polls: int = 0
    ready_at: datetime | None = None  # when the event `transcript.ready` was added

"""A transcript as text: a line for each message, such as `12:01:05 Caller: Is Dana there?`."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import groupby

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.statuses import Direction
from partyline.domain.model.transcript import TranscriptMessage
from partyline.store.transcripts import PlacedMessage

WITHHELD = "[withheld by Telnyx]"


def transcript_text(conversation: Conversation, placed: Iterable[PlacedMessage]) -> str:
    """Return the messages as lines, with times in UTC, and an empty line between two runs."""
    runs = groupby(placed, lambda item: item.run)
    return "\n".join(
        "".join(f"{line}\n" for item in run for line in _lines(conversation, item.message))
        for _, run in runs
    )


def _lines(conversation: Conversation, message: TranscriptMessage) -> Iterator[str]:
    at = f"{message.at.astimezone(UTC):%H:%M:%S}" if message.at else "--:--:--"
    speaker = _speaker(conversation, message)
    if message.text is not None or message.is_redacted:
        cut = " [cut]" if message.cut_from_chars else ""
        text = WITHHELD if message.text is None else message.text
        yield f"{at} {speaker}: {' '.join(text.split())}{cut}"
    for call in message.tool_calls:
        arguments = " ".join((call.arguments or "").split())
        yield f"{at} {speaker} calls {call.function or 'a tool'}: {arguments}"


def _speaker(conversation: Conversation, message: TranscriptMessage) -> str:
    """Return who spoke. Of several people, Telnyx may not tell which person spoke."""
    if message.role != "user":
        return message.role.title()
    guests = [
        person for person in conversation.participants if not person.host and person.joined_at
    ]
    host_id = None if guests else conversation.host.id
    person = conversation.participant(message.participant_id or host_id)
    is_caller = person and person.host and conversation.direction is Direction.INBOUND
    named = person.name if person else None
    return named or ("Caller" if is_caller else "Person")

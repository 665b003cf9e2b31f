"""Transcripts: the messages of each run of the assistant, live where asked for, and after the end.

While the assistant runs, a webhook at each turn brings the spoken messages (`follow`): the first
message that differs from the stored messages, and all that follow, are stored. After the end, the
whole list replaces the live messages (`store_whole`). A list that is missing, cut or redacted is
fetched (`complete_transcript`).
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from partyline.domain.model import statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import SpokenMessage, TranscriptReady, TranscriptUpdated
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.timeouts import INSIGHTS_POLL_PAUSE, MAX_INSIGHT_POLLS
from partyline.domain.model.transcript import (
    Source,
    ToolCall,
    TranscriptMessage,
    TranscriptPart,
    TranscriptRun,
)
from partyline.domain.rules.insights import run_of
from partyline.domain.rules.transition import Transition

if TYPE_CHECKING:  # a query loads no inputs
    from partyline.domain.model.inputs import TranscriptUpdated as Update

MAX_MESSAGES = 2_000  # the most messages kept of a conversation

MAX_TRANSCRIPT_BYTES = 1_000_000
"""Size of a conversation's messages together: a step may store them with all insights, the document
and its record, and a transaction has 4 MB."""

MAX_TEXT_CHARS = 20_000
"""Of a longer text the beginning is kept, with the length. The arguments of all tools that a
message calls have as many characters together."""

MAX_TOOL_CALLS = 50
"""Calls of tools that are kept of a message: a message has to fit into an item of the table."""

MAX_EVENT_BYTES = 100_000
"""Size of the messages in an event: an entry of the bus has 256 KB. The API has all messages."""

MESSAGE_BYTES = 150  # the fields of a stored message, or of a call of a tool, without the texts

DIGEST_CHARS = 6

Located = tuple[Participant, Leg]


def run_of_end(conversation: Conversation, telnyx_id: str | None) -> int | None:
    """Return the run that an end is about; None when unsure.

    An end may lack the id, or bring an id that we have not learned yet. On an attached call, such
    an end may be that of an earlier assistant: the messages count if the end proves to be ours.
    """
    run = run_of(conversation, telnyx_id)
    attached = conversation.direction is statuses.Direction.ATTACHED
    learned = telnyx_id is not None and conversation.telnyx_conversation_id is not None
    if run is not None or attached or learned or conversation.restarts:
        return run
    return 0


def store_whole(
    transition: Transition, run: int, messages: Sequence[TranscriptMessage], source: Source
) -> None:
    """Store the messages of a run that is over, unless more of its messages are stored.

    The list is final if it has the words of people and of the assistant, none redacted, and lacks
    no stored message. A fetched list may lack both: perhaps nobody spoke.
    """
    runs = transition.conversation.transcript.runs
    known = runs.get(run)
    if (known and known.final) or not messages:
        return
    before = (known.spoken, known.count) if known else (0, 0)
    turns = [message for message in messages if message.role in ("user", "assistant")]
    spoken = [message for message in turns if message.is_spoken]
    roles = {message.role for message in spoken}
    redacted = any(message.is_redacted for message in turns)
    lacks_none = len(spoken) >= before[0] or _has_newest(spoken, known)
    enough = lacks_none and (source == "fetch" or len(roles) > 1)
    final = enough and not redacted
    if not final and (len(spoken), len(messages)) <= before:
        return
    kept, size = _bounded(transition.conversation, run, messages)
    generation = known.generation + 1 if known else 0
    runs[run] = TranscriptRun(
        source=source,
        count=len(kept),
        spoken=len(spoken),
        size=size,
        generation=generation,
        cut=len(kept) < len(messages),
        final=final,
    )
    _store(transition, run, 0, kept)


def follow(transition: Transition, located: Located | None, update: "Update") -> None:
    """Store the difference between the messages of a webhook at a turn and the stored messages.

    A webhook that is older than the stored messages changes nothing; the next brings all.
    """
    conversation = transition.conversation
    run = _running(conversation, located, update)
    if not conversation.transcript.live or run is None:
        return
    known = conversation.transcript.runs.get(run)
    if known and (not known.is_live or (known.source == "history" and update.source == "added")):
        return
    messages = [message for message in update.messages if message.is_spoken]
    digests, stored = list(map(digest_of, messages)), _stored_digests(known)
    newest_at, at = known.newest_at if known else None, update.occurred_at
    late = at is not None and newest_at is not None and at < newest_at
    if known and update.source == "added" and not _is_whole(digests, stored):
        same_time = at == newest_at and stored[-len(digests) :] == digests
        doubled = same_time or (late and _is_part(digests, stored))
        if digests and not doubled:
            _extend(transition, run, known, messages, at, late=late)
        return
    same = _common(digests, stored)
    shorter = len(digests) < len(stored) and (at is None or at == newest_at)
    if same == len(digests) or late or shorter:
        return
    kept, size = _bounded(conversation, run, messages)
    contradicts = same < len(stored)
    if len(kept) <= same and not contradicts:
        return  # beyond the bounds
    conversation.transcript.runs[run] = TranscriptRun(
        source=update.source,
        count=len(kept),
        spoken=len(kept),
        size=size,
        generation=(known.generation if known else 0) + contradicts,
        digests="".join(digests[: len(kept)]),
        newest_at=at or newest_at,
        newest=len(kept) - 1,
        cut=len(kept) < len(messages),
    )
    _tell(transition, run, same, kept[same:], at)


def complete_transcript(transition: Transition) -> None:
    """Fetch the messages that the ends have not brought, then tell that the transcript is ready."""
    conversation, transcript = transition.conversation, transition.conversation.transcript
    if conversation.status not in statuses.FINISHED:
        return
    if transcript.poll_at and conversation.has_every_message:
        transcript.poll_at = None
    elif transcript.poll_at and transition.now >= transcript.poll_at:
        transcript.polls += 1
        pause = INSIGHTS_POLL_PAUSE * transcript.polls
        more = transcript.polls < MAX_INSIGHT_POLLS
        transcript.poll_at = transition.now + pause if more else None
        transition.add_command(Action.FETCH_TRANSCRIPT)
    ran = conversation.active_at or conversation.telnyx_conversation_id
    if ran and transcript.ready_at is None and conversation.transcript_is_final:
        transcript.ready_at = transition.now
        count = sum(run.count for run in transcript.runs.values())
        complete, runs = conversation.transcript_is_complete, len(transcript.runs)
        transition.add_event(TranscriptReady(count=count, runs=runs, complete=complete))


def digest_of(message: TranscriptMessage) -> str:
    """Return a short digest of who said what; the same position is compared only."""
    said = f"{message.role}:{message.text}".encode()
    return b64encode(sha256(said).digest())[:DIGEST_CHARS].decode()


def _running(conversation: Conversation, located: Located | None, update: "Update") -> int | None:
    """Return the run that a webhook at a turn is about; None for a run that is over.

    A webhook without the id of a conversation is about the newest run, if its call is that run's,
    and if it was sent after the start.
    """
    if update.telnyx_conversation_id and conversation.telnyx_conversation_id:
        return run_of(conversation, update.telnyx_conversation_id)
    start, at = conversation.start_command, update.occurred_at
    started_on = conversation.started_on
    if located is None or started_on is None or located[1] is not started_on[1]:
        return None
    if start and start.owed_at and at and at <= start.owed_at:  # Telnyx starts the run after that
        return None
    return conversation.restarts


def _is_whole(digests: Sequence[str], stored: Sequence[str]) -> bool:
    """Whether messages of `messages_added` are the whole conversation, not only the new messages.

    The whole conversation has messages that are stored: the first, or two in a row.
    """
    pairs = map(list, pairwise(stored))
    return digests[:1] == stored[:1] or list(digests[:2]) in pairs


def _has_newest(messages: Sequence[TranscriptMessage], known: TranscriptRun | None) -> bool:
    """Whether a list has the newest of the messages that `messages_added` brought.

    Their number is no measure: an interrupted message comes twice, whole and then cut.
    """
    stored = _stored_digests(known) if known and known.source == "added" else []
    return bool(stored) and stored[known.newest if known else -1] in map(digest_of, messages)


def _is_part(digests: Sequence[str], stored: Sequence[str]) -> bool:
    """Whether messages are stored already, one after the other."""
    places = range(len(stored) - len(digests) + 1)
    return any(stored[place : place + len(digests)] == digests for place in places)


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Return how many digests at the beginning are the same."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((nth for nth, (a, b) in pairs if a != b), min(len(left), len(right)))


def _stored_digests(run: TranscriptRun | None) -> list[str]:
    text = run.digests if run else ""
    return [text[start : start + DIGEST_CHARS] for start in range(0, len(text), DIGEST_CHARS)]


def _extend(
    transition: Transition,
    run: int,
    known: TranscriptRun,
    messages: Sequence[TranscriptMessage],
    at: datetime | None,
    *,
    late: bool,
) -> None:
    """Add new messages to the stored messages of a run; `late`: newer messages came before."""
    kept, size = _bounded(transition.conversation, run, messages, after=known)
    first = known.count
    known.count, known.spoken = first + len(kept), known.spoken + len(kept)
    known.size, known.cut = known.size + size, known.cut or len(kept) < len(messages)
    known.digests += "".join(map(digest_of, messages[: len(kept)]))
    if not late:
        known.newest_at, known.newest = at or known.newest_at, known.count - 1
    _tell(transition, run, first, kept, at)


def _bounded(
    conversation: Conversation,
    run: int,
    messages: Sequence[TranscriptMessage],
    after: TranscriptRun | None = None,
) -> tuple[list[TranscriptMessage], int]:
    """Return the messages that fit into the bounds, and their size; long texts are cut."""
    others = [other for nth, other in conversation.transcript.runs.items() if nth != run]
    others += [after] if after else []
    room = MAX_MESSAGES - sum(other.count for other in others)
    space = MAX_TRANSCRIPT_BYTES - sum(other.size for other in others)
    kept, size = list[TranscriptMessage](), 0
    for message in messages[: max(room, 0)]:
        short = _cut(replace(message, participant_id=_speaker(conversation, message)))
        if size + _size(short) > space:
            break
        kept.append(short)
        size += _size(short)
    return kept, size


def _cut(message: TranscriptMessage) -> TranscriptMessage:
    calls, room = list[ToolCall](), MAX_TEXT_CHARS
    for call in message.tool_calls[:MAX_TOOL_CALLS]:
        arguments = (call.arguments or "")[:room] or None
        calls.append(replace(call, arguments=arguments))
        room -= len(arguments or "")
    text, length = message.text, len(message.text or "")
    cut = length if length > MAX_TEXT_CHARS else None
    text = text[:MAX_TEXT_CHARS] if text and cut else text
    return replace(message, text=text, tool_calls=tuple(calls), cut_from_chars=cut)


def _size(message: TranscriptMessage) -> int:
    """Return about the bytes of a stored message: its texts as JSON, and the other fields."""
    texts = [message.text, message.tool_call_id]
    for call in message.tool_calls:
        texts += [call.id, call.function, call.arguments]
    entries = 1 + len(message.tool_calls)
    return (
        sum(len(json.dumps(text, ensure_ascii=False).encode()) - 2 for text in texts if text)
        + MESSAGE_BYTES * entries
    )


def _speaker(conversation: Conversation, message: TranscriptMessage) -> str | None:
    """Return the participant whom Telnyx's id names: a join gives Telnyx the id of the call."""
    named = message.participant_id
    return next(
        (
            person.id
            for person, leg in conversation.legs()
            if named == person.id or leg.has_id(named)
        ),
        None,
    )


def _store(
    transition: Transition, run: int, first: int, messages: Sequence[TranscriptMessage]
) -> None:
    generation = transition.conversation.transcript.runs[run].generation
    part = TranscriptPart(run=run, generation=generation, first=first, messages=tuple(messages))
    transition.messages.append(part)


def _tell(
    transition: Transition,
    run: int,
    first: int,
    messages: Sequence[TranscriptMessage],
    at: datetime | None,
) -> None:
    """Store messages of the running assistant, and add the event with as many as fit."""
    timed = [message if message.at else replace(message, at=at) for message in messages]
    _store(transition, run, first, timed)
    shown, size = list[SpokenMessage](), 0
    for message in timed:
        size += _size(message)
        if size > MAX_EVENT_BYTES:
            break
        shown.append(
            SpokenMessage(
                role=message.role,
                text=message.text or "",
                at=message.at,
                participant_id=message.participant_id,
            )
        )
    count = transition.conversation.transcript.runs[run].count
    updated = TranscriptUpdated(run=run, first=first, messages=shown, count=count)
    transition.add_event(updated, at)

"""Insights: Telnyx's findings about each run of the assistant, the newest result of an id a run.

A webhook and a fetch may bring the same insights; either may come first, or both.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from partyline.domain.model import statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import InsightsGenerated
from partyline.domain.model.insight import Insight, StoredInsight
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import HOST_ID, Participant
from partyline.domain.rules.transition import Transition

MAX_INSIGHTS = 50  # the most insights kept of a conversation

MAX_INSIGHTS_BYTES = 2_000_000
"""Size of a conversation's insights together: a transaction has 4 MB, an answer of Lambda 6 MB."""

CUT_CHARS = 2_000
"""Of an insight beyond that size, the first characters of its JSON are kept, with its size."""


def store_insights(
    transition: Transition,
    insights: Iterable[Insight],
    at: datetime | None = None,
    run: int | None = None,
) -> None:
    """Keep the insights that are new, or newer than the stored result of the same run and id.

    Args:
        transition: the decision.
        insights: the insights of a webhook or a fetch, the oldest first.
        at: when the insights were made; by default now.
        run: the run of the insights that do not name a Telnyx conversation.
    """
    conversation = transition.conversation
    default_run = newest_ended_run(conversation) if run is None else run
    stored = list[Insight]()
    for insight in insights:
        found = run_of(conversation, insight.telnyx_conversation_id)
        known = _keep(conversation, insight, default_run if found is None else found, at)
        stored += [known] if known else []
    if stored:
        transition.insights += stored
        ids = list(dict.fromkeys(str(insight.insight_id) for insight in stored))
        transition.add_event(InsightsGenerated(insight_ids=ids), at)


def run_of(conversation: Conversation, telnyx_id: str | None) -> int | None:
    """Return the run that Telnyx's id names, from 0; None for an unknown id."""
    ids = [*conversation.previous_telnyx_ids, conversation.telnyx_conversation_id]
    return ids.index(telnyx_id) if telnyx_id in ids and telnyx_id is not None else None


def run_on(conversation: Conversation, located: tuple[Participant, Leg] | None) -> int | None:
    """Return the run that was started on a call; None for a call without a start, or with several.

    The assistant may return to a call that had an assistant before. A failed start began no run.
    """
    commands = conversation.commands.values()
    starts = [c for c in commands if c.action is Action.START and c.status != "failed"]
    calls = [(start.participant_id, start.leg) for start in starts]
    if conversation.start == "with_answer" and (not starts or starts[0].participant_id != HOST_ID):
        calls.insert(0, (HOST_ID, 1))  # the answer started the first run
    call = (located[0].id, located[1].number) if located else None
    return calls.index(call) if call and calls.count(call) == 1 else None


def newest_ended_run(conversation: Conversation) -> int:
    """Return the newest run that has ended; the first if none has ended."""
    ended = conversation.telnyx_ended_at or conversation.status in statuses.FINISHED
    ended = ended or conversation.is_assistant_gone
    return conversation.restarts if ended else max(conversation.restarts - 1, 0)


def _keep(
    conversation: Conversation, insight: Insight, run: int, at: datetime | None
) -> Insight | None:
    """Note an insight in the document; returns the insight to store, or None if known."""
    digest = digest_of(insight.result)
    insight = replace(insight, insight_id=insight.insight_id or f"unnamed-{digest[:12]}", run=run)
    key = f"{run}/{insight.insight_id}"
    known = conversation.insights.get(key)
    older = known and known.made_at and at and at < known.made_at
    full = known is None and len(conversation.insights) >= MAX_INSIGHTS
    if older or full or (known and known.digest == digest):
        return None
    text = _json(insight.result)
    size = len(text.encode())
    others = [item.size for name, item in conversation.insights.items() if name != key]
    if size + sum(others) > MAX_INSIGHTS_BYTES:
        insight = replace(insight, result=text[:CUT_CHARS], cut_from_bytes=size)
        size = len(_json(insight.result).encode())
    conversation.insights[key] = StoredInsight(digest=digest, size=size, made_at=at)
    return insight


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def digest_of(result: Any) -> str:
    """Hash a result. A text that is JSON counts as that JSON: a fetch has text for an object."""
    value = result
    if isinstance(result, str) and result.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(result)
        except (ValueError, RecursionError):
            value = result
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

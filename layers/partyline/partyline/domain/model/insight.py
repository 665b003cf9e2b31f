"""Insights: what Telnyx finds in a run of the assistant that is over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from partyline.domain.model.stored import Stored


@dataclass(frozen=True, kw_only=True)
class Insight:
    """An insight of Telnyx into a run of the assistant that is over.

    Attributes:
        insight_id: Telnyx's id of the insight, the same in each run; None before a name is made.
        result: any JSON.
        telnyx_conversation_id: the run at Telnyx, where Telnyx tells.
        run: the run of the assistant, from 0; a restart begins another.
        cut_from_bytes: the size of a result of which only the beginning of its JSON is kept.
    """

    insight_id: str | None
    result: Any
    telnyx_conversation_id: str | None = None
    run: int = 0
    cut_from_bytes: int | None = None


class StoredInsight(Stored):
    """What the document holds of an insight; the insight itself is stored beside the document."""

    digest: str
    size: int
    made_at: datetime | None = None

"""The results of insights in a report: the table holds the results beside the document."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from partyline.domain.model.events import Event, EventType
from partyline.store import ConversationStore

if TYPE_CHECKING:
    from partyline.domain.decide import Decision


def with_insights(store: ConversationStore, decision: "Decision") -> "Decision":
    """Return a decision whose report, if any, has the results of the insights.

    The step that stores the report fails if another step has changed the insights since the read.
    A report with `insights_cut` has the ids alone. Raises an `AwsError`.
    """
    if decision.conversation is None or not any(map(_lacks_results, decision.events)):
        return decision
    known = {
        (insight.run, insight.insight_id): insight
        for insight in [*store.small_insights(decision.conversation), *decision.insights]
    }
    return replace(decision, events=[_filled(event, known) for event in decision.events])


def _lacks_results(event: Event) -> bool:
    is_report = event.type is EventType.CONVERSATION_REPORT
    return is_report and bool(event.data["insights"]) and not event.data["insights_cut"]


def _filled(event: Event, known: dict[Any, Any]) -> Event:
    if not _lacks_results(event):
        return event
    rows: Sequence[dict[str, Any]] = event.data["insights"]
    filled = []
    for row in rows:
        insight = known.get((row["run"], row["insight_id"]))
        cut = insight.cut_from_bytes if insight else None
        result = {"result": insight.result} if insight else {}
        filled.append(row | result | ({"cut_from_bytes": cut} if cut else {}))
    return event.model_copy(update={"data": event.data | {"insights": filled}})

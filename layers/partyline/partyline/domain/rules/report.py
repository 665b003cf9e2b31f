"""The report: one event for each conversation, once all that belongs to the report has come.

A price, an insight or a webhook that comes later changes the conversation, not the report. The
engine adds the results of the insights, which the document does not hold (`services.report`).
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from partyline.domain.masking import masked
from partyline.domain.model import report as parts
from partyline.domain.model import statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.costs import EndedLeg
from partyline.domain.model.events import ConversationReport
from partyline.domain.model.participant import Participant
from partyline.domain.model.timeouts import COST_WAIT, REPORT_WAIT
from partyline.domain.rules.costs import (
    AnyLeg,
    answered_seconds,
    costs_of_assistant,
    costs_of_calls,
    every_leg,
    legs_of,
)
from partyline.domain.rules.transition import Transition

MAX_REPORTED_INSIGHTS_BYTES = 80_000
"""Size of the insights that a report holds: an event of the bus has 256 KB at most."""

MAX_LEGS = 200  # of a report; the newest calls of each person are listed


def report(transition: Transition) -> None:
    """Add the report on a conversation that is over, once."""
    conversation = transition.conversation
    is_owed = conversation.report_seq is None and conversation.status in statuses.FINISHED
    if is_owed and not any(report_moments(conversation, transition.now)):
        transition.add_event(_report_on(conversation))
        conversation.report_seq = conversation.seq


def report_moments(conversation: Conversation, now: datetime) -> Iterator[datetime]:
    """Yield the moments until which the report waits; none for a report that is due, or added."""
    if conversation.report_seq is not None or conversation.ended_at is None:
        return
    latest = conversation.ended_at + REPORT_WAIT
    prices_by = _prices_by(conversation)
    if now >= latest:
        return
    if not _is_complete(conversation):
        yield latest
    elif prices_by and now < prices_by:
        yield min(prices_by, latest)


def _is_complete(conversation: Conversation) -> bool:
    """Whether no call of ours is up, and insights and transcript have come or were given up."""
    fetches = (c for c in conversation.commands.values() if c.action is Action.FETCH_INSIGHTS)
    pending = any(fetch.is_pending for fetch in fetches)
    insights = _have_insights_come(conversation) or not (pending or conversation.insights_poll_at)
    return insights and conversation.transcript_is_final and not conversation.owned_calls


def _have_insights_come(conversation: Conversation) -> bool:
    """Whether there is an insight into each run. Telnyx sends the insights of a run together."""
    runs = {key.partition("/")[0] for key in conversation.insights}
    return runs >= {str(run) for run in range(conversation.restarts + 1)}


def _prices_by(conversation: Conversation) -> datetime | None:
    """Return until when missing prices are awaited: of our answered calls, and of the runs."""
    legs = [leg for _, leg in conversation.legs() if leg.owned]
    missing = [leg for leg in legs if leg.answered_at and leg.ended_at and leg.cost is None]
    ends = [leg.ended_at + COST_WAIT for leg in missing if leg.ended_at]
    ran = conversation.active_at is not None
    if ran and conversation.ended_at and len(conversation.run_costs) <= conversation.restarts:
        ends.append(conversation.ended_at + COST_WAIT)
    return max(ends, default=None)


def _report_on(conversation: Conversation) -> ConversationReport:
    listed = _listed_legs(conversation)
    omitted = conversation.omitted_legs
    every = [leg for _, leg in every_leg(conversation)]
    left_out = [leg for leg in every if id(leg) not in listed]
    seconds = sum(answered_seconds(leg) or 0 for leg in left_out)
    rest = parts.ReportedRest(
        legs=len(left_out) + (omitted.count if omitted else 0),
        seconds=seconds + (omitted.seconds if omitted else 0),
    )
    times = _times(conversation)
    answered, ended = times.answered, times.ended
    return ConversationReport(
        shape_version=parts.SHAPE_VERSION,
        direction=conversation.direction,
        route=masked(conversation.route),
        assistant_id=conversation.assistant.id,
        times=times,
        duration_secs=max(0, round((ended - answered).total_seconds()))
        if ended and answered
        else None,
        reason=conversation.end_reason or conversation.telnyx_ended_reason,
        failure=conversation.failure,
        people=[_person(person, listed) for person in conversation.participants],
        rest=rest if rest.legs else None,
        messages_sent=conversation.messages_sent,
        handovers=[
            parts.ReportedHandover(
                handover_id=handover.id,
                participant_id=handover.participant_id,
                then=handover.then,
                outcome=handover.outcome,
            )
            for handover in conversation.handovers
        ],
        insights=[
            parts.ReportedInsight(insight_id=id_, run=int(run))
            for run, _, id_ in (key.partition("/") for key in conversation.insights)
        ],
        insights_cut=sum(kept.size for kept in conversation.insights.values())
        > MAX_REPORTED_INSIGHTS_BYTES,
        transcript=parts.ReportedTranscript(
            messages=sum(run.count for run in conversation.transcript.runs.values()),
            complete=conversation.transcript_is_complete,
        ),
        costs=reported_costs(conversation),
        metadata=conversation.metadata,
    )


def reported_costs(conversation: Conversation) -> dict[str, parts.ReportedCosts]:
    """Return what a conversation has cost so far, by currency."""
    calls, assistant = costs_of_calls(conversation), costs_of_assistant(conversation)
    nothing = Decimal(0)
    sums = {
        currency: (assistant.get(currency, nothing), calls.get(currency, nothing))
        for currency in sorted({*calls, *assistant})
    }
    return {
        currency: parts.ReportedCosts(
            total=str(of_assistant + of_calls), assistant=str(of_assistant), calls=str(of_calls)
        )
        for currency, (of_assistant, of_calls) in sums.items()
    }


def _listed_legs(conversation: Conversation) -> set[int]:
    """Return the identities of the legs that the report lists: the newest of all people."""
    legs = sorted((leg for _, leg in every_leg(conversation)), key=lambda leg: leg.created_at)
    return {id(leg) for leg in legs[-MAX_LEGS:]}


def _times(conversation: Conversation) -> parts.ReportedTimes:
    host = [leg for person, leg in every_leg(conversation) if person.host]
    return parts.ReportedTimes(
        asked=conversation.created_at,
        answered=min((leg.answered_at for leg in host if leg.answered_at), default=None),
        first_word=conversation.active_at,
        ended=conversation.ended_at,
    )


def _person(person: Participant, listed: set[int]) -> parts.ReportedPerson:
    legs = [leg for leg in legs_of(person) if id(leg) in listed]
    return parts.ReportedPerson(
        participant_id=person.id,
        name=person.name,
        host=person.host,
        status=person.status,
        outcome=person.outcome,
        joined_at=person.joined_at,
        left_at=person.left_at,
        legs=[_leg(leg) for leg in legs],
    )


def _leg(leg: AnyLeg) -> parts.ReportedLeg:
    price = leg.cost
    return parts.ReportedLeg(
        number=leg.number,
        to=leg.to if isinstance(leg, EndedLeg) else masked(leg.to),
        outcome=leg.outcome,
        hangup_cause=leg.hangup_cause,
        sip_hangup_cause=leg.sip_hangup_cause,
        answered_at=leg.answered_at,
        ended_at=leg.ended_at,
        seconds=answered_seconds(leg),
        cost=parts.ReportedCost(total=price.total, currency=price.currency) if price else None,
        mos=leg.mos,
    )

"""Costs: the sums of a conversation's prices, and what a conversation spends of the budget.

What a conversation spends follows from its document alone. The transaction of each step adds the
difference to the counter of the day, so the counter is exact whatever webhook comes, twice or late,
and whichever process dies.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from partyline.domain.masking import masked
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.costs import EndedLeg, OmittedLegs, units_of
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant

MAX_ENDED_LEGS = 50
"""Calls outside of the document of which more than sums is kept: 20 KB at most."""

MAX_WORD_CHARS = 64  # of a cause or an id that is kept of such a call; a longer word is left out

AnyLeg = Leg | EndedLeg


def costs_of_calls(conversation: Conversation) -> dict[str, Decimal]:
    """Return the prices of all calls, by currency."""
    sums = dict[str, Decimal]()
    legs = [leg for _, leg in every_leg(conversation)]
    prices = [(leg.cost.currency, leg.cost.total) for leg in legs if leg.cost]
    omitted = conversation.omitted_legs.costs.items() if conversation.omitted_legs else ()
    for currency, amount in [*prices, *omitted]:
        sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return sums


def costs_of_assistant(conversation: Conversation) -> dict[str, Decimal]:
    """Return the prices of the assistant's runs, by currency.

    An analysis counts the calls too (Telnyx API: call.analyzed). That part counts only while no
    call has a price.
    """
    priced, sums = bool(costs_of_calls(conversation)), dict[str, Decimal]()
    for cost in conversation.run_costs.values():
        amount = Decimal(cost.total) - (Decimal(cost.of_calls) if priced else 0)
        sums[cost.currency] = sums.get(cost.currency, Decimal(0)) + max(amount, Decimal(0))
    return sums


def every_leg(conversation: Conversation) -> Iterator[tuple[Participant, AnyLeg]]:
    """Yield the legs of the document and those that left the document, by participant."""
    for participant in conversation.participants:
        yield from ((participant, leg) for leg in legs_of(participant))


def legs_of(participant: Participant) -> list[AnyLeg]:
    """Return the legs of a participant: those that left the document, and those in the document."""
    return [*participant.ended_legs, *participant.legs]


def keep_ended(conversation: Conversation, participant: Participant, leg: Leg) -> EndedLeg:
    """Keep what the report and the budget need of a leg that leaves the document."""
    ended = EndedLeg(
        number=leg.number,
        to=masked(leg.to),
        dialed=participant.plan is not None,
        **{name: _short(getattr(leg, name)) for name in _KEPT},
    )
    participant.ended_legs.append(ended)
    kept = list(ended_legs_of(conversation))
    if len(kept) > MAX_ENDED_LEGS:
        person, oldest = min(kept, key=lambda pair: pair[1].created_at)
        person.ended_legs.remove(oldest)
        _omit(conversation, oldest)
    return ended


def answered_seconds(leg: AnyLeg) -> int | None:
    """Return how long a call was answered; None for a call that is up or was not answered."""
    if leg.answered_at is None or leg.ended_at is None:
        return None
    return max(0, round((leg.ended_at - leg.answered_at).total_seconds()))


def spent(conversation: Conversation | None) -> Counter[date]:
    """Return what a conversation spends of the budget, in units by day (UTC).

    A call that we dialled counts as `reserved_per_call` until its price is known. A call that was
    never answered counts as nothing, until a price comes.
    """
    units = Counter[date]()
    if conversation is None or conversation.limits.reserved_per_call is None:
        return units
    for participant, leg in every_leg(conversation):
        dialed = leg.dialed if isinstance(leg, EndedLeg) else participant.plan is not None
        units[_day(leg.created_at)] += _units(leg, conversation.limits.reserved_per_call, dialed)
    if conversation.omitted_legs:
        units.update(conversation.omitted_legs.spent)
    of_runs = costs_of_assistant(conversation).values()
    units[_day(conversation.created_at)] += sum(map(units_of, of_runs))
    return units


def spending(before: Conversation | None, after: Conversation) -> Mapping[date, int]:
    """Return what a step spends of the budget, in units by day: less than nothing for a refund."""
    change = spent(after)
    change.subtract(spent(before))
    return {day: units for day, units in sorted(change.items()) if units}


_KEPT = (
    *("outcome", "hangup_cause", "sip_hangup_cause", "call_leg_id"),
    *("created_at", "answered_at", "ended_at", "cost", "mos"),
)


def ended_legs_of(conversation: Conversation) -> Iterable[tuple[Participant, EndedLeg]]:
    """Return the legs that left the document and are not in the sums, by participant."""
    return (
        (participant, leg)
        for participant in conversation.participants
        for leg in participant.ended_legs
    )


def _short(value: Any) -> Any:
    return None if isinstance(value, str) and len(value.encode()) > MAX_WORD_CHARS else value


def _omit(conversation: Conversation, leg: EndedLeg) -> None:
    sums = conversation.omitted_legs = conversation.omitted_legs or OmittedLegs()
    sums.count += 1
    sums.seconds += answered_seconds(leg) or 0
    if leg.cost:
        earlier = Decimal(sums.costs.get(leg.cost.currency, "0"))
        sums.costs[leg.cost.currency] = str(earlier + Decimal(leg.cost.total))
    reserved = conversation.limits.reserved_per_call
    units = _units(leg, reserved, leg.dialed) if reserved is not None else 0
    if units:
        day = _day(leg.created_at)
        sums.spent[day] = sums.spent.get(day, 0) + units


def _units(leg: AnyLeg, reserved: int, dialed: bool) -> int:
    if leg.cost:
        return units_of(leg.cost.total)
    unanswered = leg.ended_at is not None and leg.answered_at is None
    return 0 if unanswered or not dialed else reserved


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()

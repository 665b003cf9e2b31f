"""Recording prices: of a call, and of a run of the assistant."""

from decimal import Decimal

from partyline.domain.model import inputs
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.costs import RunCost, is_currency
from partyline.domain.model.events import Cost
from partyline.domain.rules.call_ids import find_leg
from partyline.domain.rules.costs import AnyLeg, ended_legs_of
from partyline.domain.rules.transition import Transition

PRODUCTS_OF_CALLS = ("callcontrol", "siptrunking", "recording")
"""How the products begin that `call.cost` reports too, without dashes (Telnyx API: call.cost,
call_part; call.analyzed, breakdown.product: `callcontrol-cdrs`, `siptrunking-cdrs`)."""


def record_call_cost(transition: Transition, webhook: inputs.CallCost) -> None:
    """Keep the price of a call. A later price replaces an earlier price: a double counts once."""
    located = find_leg(transition.conversation, webhook.call)
    leg: AnyLeg | None = located[1] if located else None
    if leg is None and webhook.call.call_leg_id:
        ended = (leg for _, leg in ended_legs_of(transition.conversation))
        leg = next((leg for leg in ended if leg.call_leg_id == webhook.call.call_leg_id), None)
    if leg:
        leg.cost = webhook.cost


def record_run_cost(conversation: Conversation, run: int, cost: Cost | None) -> None:
    """Keep the price of a run of the assistant."""
    if cost is None or cost.total is None:
        return
    lines = [line for line in cost.breakdown if line.product and line.cost]
    of_calls = sum(
        (Decimal(str(line.cost)) for line in lines if _is_of_calls(str(line.product))), Decimal(0)
    )
    amounts = {"total": cost.total, "of_calls": str(of_calls)}
    conversation.run_costs[run] = RunCost.model_validate(
        amounts | ({"currency": cost.currency} if is_currency(cost.currency) else {})
    )


def _is_of_calls(product: str) -> bool:
    return product.lower().replace("-", "").replace("_", "").startswith(PRODUCTS_OF_CALLS)

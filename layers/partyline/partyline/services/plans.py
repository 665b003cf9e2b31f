"""Build the plan by which a participant is reached from the request that names the participant."""

from collections.abc import Sequence

from partyline.domain.dial_policy import Destinations
from partyline.domain.model.conversation import Plan
from partyline.domain.model.errors import ErrorCode
from partyline.services.errors import field_invalid
from partyline.services.requests import InviteRequest, StartRequest
from partyline.settings import ConversationSettings


def check_destinations(
    numbers: Sequence[str], destinations: Destinations, prefix: str = ""
) -> None:
    """Raise a RequestError for a number that calls may not go to.

    The dial policy asks again before each dial. The check here tells the mistake at once. `prefix`
    is the place of the numbers' `to` in the request, such as `participants.0.`.
    """
    for number in numbers:
        refusal = destinations.refusal(number)
        if refusal:
            raise field_invalid(f"{prefix}to", refusal, ErrorCode.DESTINATION_NOT_ALLOWED)


def plan_of(
    request: StartRequest | InviteRequest,
    numbers: list[str],
    settings: ConversationSettings,
    *,
    prefix: str = "",
    caller_id: str | None = None,
) -> Plan:
    """Build the plan to reach `numbers`.

    Args:
        request: the options of the dials.
        numbers: the numbers, in their order.
        settings: the deployment's defaults.
        prefix: the place of the request's fields, for the error that names one.
        caller_id: the number that calls, unless the request has a `from`.

    Raises:
        RequestError: no number to call from is known.
    """
    # An inbound call may come to a SIP address, and no call can be made from a SIP address.
    number = caller_id if caller_id and caller_id.startswith("+") else None
    from_ = request.from_ or number or settings.default_number
    if from_ is None:
        message = "needed, since this deployment has no default number"
        raise field_invalid(f"{prefix}from", message)
    options = request.model_dump(
        include=set(Plan.model_fields) - {"to", "from_"}, exclude_none=True
    )
    return Plan(to=numbers, from_=from_, **options)

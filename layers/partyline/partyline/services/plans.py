"""From the body of an invitation to the plan by which somebody is reached."""

from collections.abc import Sequence

from partyline.domain.dial_policy import Destinations
from partyline.domain.model.conversation import Plan
from partyline.entrypoints.api.app import invalid
from partyline.services.requests import InviteBody, StartBody
from partyline.settings import ConversationSettings

DESTINATION = "destination_not_allowed"


def allow(numbers: Sequence[str], destinations: Destinations, where: str = "") -> None:
    """Raise an ApiError for a number that calls may not go to; `where` is where its body stands.

    The gates before each dial ask the same again. Asked here too, the mistake is told at once.
    """
    for refusal in filter(None, map(destinations.refusal, numbers)):
        raise invalid(f"{where}to", refusal, DESTINATION)


def plan_of(
    body: StartBody | InviteBody,
    numbers: list[str],
    settings: ConversationSettings,
    where: str = "",
    ours: str | None = None,
) -> Plan:
    """The plan to reach `numbers`, calling from `ours` unless the body says otherwise.

    `where` is where the body stands, for the ApiError that names a wrong field.
    """
    # People also call a SIP address of ours, which no call can be made from.
    callable_ = ours if ours and ours.startswith("+") else None
    from_ = body.from_ or callable_ or settings.default_number
    if from_ is None:
        raise invalid(f"{where}from", "needed, since this deployment has no default number")
    given = body.model_dump(include=set(Plan.model_fields) - {"to", "from_"}, exclude_none=True)
    return Plan(to=numbers, from_=from_, **given)

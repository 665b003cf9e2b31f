"""How an incoming call is answered: by the stored route, else by the deployment.

The store chooses the route of the number or the default route (`directory.applicable_route`).
"""

from partyline.domain.model.conversation import Assistant, Limits
from partyline.domain.model.inputs import Route
from partyline.domain.model.routes import RouteLimits, StoredRoute
from partyline.settings import ConversationSettings


def inbound_route(
    stored: StoredRoute, settings: ConversationSettings, connection_id: str | None
) -> Route | None:
    """How an incoming call is answered; None when no assistant is set for the call."""
    default = settings.default_assistant_id
    assistant = stored.assistant or (Assistant(id=default) if default else None)
    if assistant is None:
        return None
    return Route(
        assistant=assistant,
        connection_id=connection_id or settings.telnyx_connection_id,
        on_hangup=stored.on_host_hangup,
        phrases=stored.words,
        start=stored.start,
        limits=conversation_limits(settings, stored.limits),
    )


def conversation_limits(settings: ConversationSettings, own: RouteLimits | None = None) -> Limits:
    """Return the limits of a conversation: the deployment's, and fewer where the route says so."""
    deployed = {
        "participants": settings.max_participants,
        "legs_at_once": settings.max_legs_at_once,
        "minutes": settings.max_minutes,
    }
    routes = own.model_dump(exclude_none=True) if own else {}
    return Limits(**{name: min(most, routes.get(name, most)) for name, most in deployed.items()})

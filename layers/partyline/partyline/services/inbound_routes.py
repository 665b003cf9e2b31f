"""How an incoming call is answered: by the stored route, else by the deployment.

The store chooses the route of the number or the default route (`directory.applicable_route`).
"""

import re

from partyline.domain.model.assistant import Assistant
from partyline.domain.model.conversation import Limits
from partyline.domain.model.inputs import Route
from partyline.domain.model.routes import RouteLimits, StoredRoute
from partyline.domain.numbers import normal_number
from partyline.settings import ConversationSettings

SIP_NUMBER = re.compile(r"(sips?:)?\+?[0-9 ().-]+(@.*)?|(?!sips?:)[^@]*", re.IGNORECASE)
"""A number, perhaps as a SIP address; also a text that is no SIP address."""

SIP_USER = re.compile(r"(?=.*[a-z])[a-z0-9_.-]+", re.IGNORECASE | re.ASCII)
"""A SIP user without a domain: Telnyx names a WebRTC client `gencredXyZ789`."""


def inbound_route(
    stored: StoredRoute,
    settings: ConversationSettings,
    connection_id: str | None,
    dialled: str | None,
) -> Route | None:
    """How an incoming call is answered; None when the call is not for us.

    A call at another connection belongs to another application. `dialled` tells a call to a user
    by a SIP address or a name: only a user that is a number is ours.
    """
    if connection_id and connection_id != settings.telnyx_connection_id:
        return None
    country = settings.destinations.home_country
    is_user = dialled and (SIP_USER.fullmatch(dialled) or not SIP_NUMBER.fullmatch(dialled))
    if dialled and is_user and not normal_number(dialled, country):
        return None
    default = settings.default_assistant_id
    assistant = stored.assistant or (Assistant(id=default) if default else None)
    if assistant is None:
        return None
    return Route(
        assistant=assistant,
        connection_id=settings.telnyx_connection_id,
        on_hangup=stored.on_host_hangup,
        phrases=stored.words,
        start=stored.start,
        live_transcript=stored.live_transcript,
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
    return Limits(
        **{name: min(most, routes.get(name, most)) for name, most in deployed.items()},
        reserved_per_call=settings.reserved_units,
    )

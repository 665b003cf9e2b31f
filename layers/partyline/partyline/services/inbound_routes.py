"""How calls to a number of ours are answered: by its route, the default one, or the template's."""

from typing import Any

from pydantic_core import from_json

from partyline.domain.model.conversation import Assistant, Conversation, Limits
from partyline.domain.model.inputs import Route
from partyline.domain.model.statuses import OnHangup
from partyline.settings import ConversationSettings
from partyline.store import ConversationStore, keys
from partyline.store.keys import DEFAULT_ROUTE, Key

Row = dict[str, Any]


def normalized_name(name: str) -> str:
    """What of a contact's name tells it from others: neither its case nor space around it."""
    return name.strip().casefold()


def choose_route(rows: dict[Key, Row], number: str | None) -> Row:
    """The route of a number among rows that were read, the default one, or an empty one."""
    for each in (number, DEFAULT_ROUTE):
        row = rows.get(keys.route(each)) if each else None
        if row:
            route: Row = from_json(row["route"]["S"])
            return route
    return {}


def route_of_conversation(store: ConversationStore, conversation: Conversation) -> Row:
    """The route that a conversation's contacts come from, as it is now."""
    numbers = [each for each in (conversation.route, DEFAULT_ROUTE) if each]
    return choose_route(store.find(map(keys.route, numbers)), conversation.route)


def inbound_route(
    route: Row, settings: ConversationSettings, connection_id: str | None
) -> Route | None:
    """How an incoming call is answered; None when nobody has said, and it is to be left alone."""
    assistant = dict(route.get("assistant", {}))
    assistant.setdefault("id", settings.default_assistant_id)
    if assistant["id"] is None:
        return None
    return Route(
        assistant=Assistant.model_validate(assistant),
        connection_id=connection_id or settings.telnyx_connection_id,
        on_hangup=OnHangup(route.get("on_host_hangup", OnHangup.END)),
        phrases=route.get("words", {}),
        limits=conversation_limits(settings, route),
    )


def conversation_limits(settings: ConversationSettings, route: Row | None = None) -> Limits:
    """The bounds of a conversation: the route's where it has any, else the template's."""
    given = (route or {}).get("limits", {})
    return Limits(
        participants=given.get("participants", settings.max_participants),
        legs_at_once=given.get("legs_at_once", settings.max_legs_at_once),
        minutes=given.get("minutes", settings.max_minutes),
    )

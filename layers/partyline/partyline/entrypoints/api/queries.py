"""What can be asked about conversations. Nothing here can change one."""

from typing import Any

from partyline.bootstrap import bootstrap
from partyline.domain.model.statuses import ConversationStatus
from partyline.entrypoints.answers import ApiError
from partyline.entrypoints.api.app import Request, invalid
from partyline.entrypoints.api.responses import conversation_view, event_view, scheduled_view

DEFAULT_LIMIT, MAX_LIMIT = 20, 50
MAX_CURSOR_CHARS = 256


def list_conversations(request: Request) -> tuple[int, Any]:
    """`GET /conversations`: by `status` or all, newest first, `limit` at a time from `cursor`."""
    limit = limit_of(request, {"status", "limit", "cursor"})
    status, cursor = request.query.get("status"), request.query.get("cursor")
    if status is not None and status not in set(ConversationStatus):
        raise invalid("status", f"one of {', '.join(ConversationStatus)}")
    if cursor is not None and not 0 < len(cursor) <= MAX_CURSOR_CHARS:
        raise invalid("cursor", "not a cursor of this list")
    try:
        page = bootstrap().store.list_newest(
            ConversationStatus(status) if status else None,
            limit,
            cursor,
        )
    except ValueError as error:
        raise invalid("cursor", str(error)) from None
    return 200, {
        "conversations": [conversation_view(each) for each in page.conversations],
        "next_cursor": page.next_cursor,
    }


def get_conversation(request: Request) -> tuple[int, Any]:
    """`GET /conversations/{id}`: one, with participants and insights."""
    conversation_id = conversation_id_of(request)
    found = bootstrap().store.load_with_insights(conversation_id)
    if found is not None:
        return 200, conversation_view(*found)
    schedule = bootstrap().scheduled.get(conversation_id)
    if schedule is None:
        raise unknown_conversation()
    return 200, scheduled_view(schedule)


def get_timeline(request: Request) -> tuple[int, Any]:
    """`GET /conversations/{id}/timeline`: what happened, in order."""
    events = bootstrap().store.timeline(conversation_id_of(request)).events
    if not events:
        raise unknown_conversation()
    return 200, {"events": [event_view(each) for each in events]}


def limit_of(request: Request, known: set[str]) -> int:
    """The `limit` of a list, whose other parameters must be `known` too. Raises an ApiError."""
    unknown = sorted(set(request.query) - known)
    if unknown:
        raise invalid(unknown[0], "there is no such parameter")
    limit = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (
        limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= MAX_LIMIT
    ):
        raise invalid("limit", f"a number from 1 to {MAX_LIMIT}")
    return int(limit)


def conversation_id_of(request: Request) -> str:
    """The id in the path. One that cannot be ours is that of no conversation."""
    given = request.path.get("id", "")
    if not (given.isascii() and 0 < len(given) <= 64 and given.replace("-", "").isalnum()):
        raise unknown_conversation()
    return given


def unknown_conversation() -> ApiError:
    """The error for an id that no conversation has."""
    return ApiError(404, "unknown_conversation", "There is no such conversation.")

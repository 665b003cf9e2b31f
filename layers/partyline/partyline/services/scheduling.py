"""Conversations that begin later: asked for now, cancelled meanwhile, begun when it is time.

The row in the table is what counts. EventBridge Scheduler only rings when it is time: without the
row nothing begins, so an alarm that rings twice, late, or for a cancelled one does no harm.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from partyline.bootstrap import bootstrap
from partyline.domain.model.conversation import Failure
from partyline.entrypoints.answers import ApiError
from partyline.entrypoints.api.app import Request, invalid
from partyline.entrypoints.api.queries import conversation_id_of, unknown_conversation
from partyline.entrypoints.api.responses import View, scheduled_view
from partyline.entrypoints.http import base_url
from partyline.ids import conversation_id_for_request, fingerprint
from partyline.services.conversations import start_conversation, start_input
from partyline.services.requests import StartBody
from partyline.store import DedupeRecord
from partyline.store.errors import (
    AlreadyProcessedError,
    TooManyConflictsError,
    VersionConflictError,
)
from partyline.store.scheduled import ScheduledConversation, ScheduleStatus
from partyline.telemetry import Metric, count, lambda_handler, logger

MAX_SCHEDULE_AHEAD = timedelta(days=366)
"""How far ahead a conversation may be scheduled."""

RETRY_LIMIT_FOR = timedelta(minutes=2)
"""How long a limit may keep a start back: Lambda tries again after one minute and two more."""


def start_or_schedule(request: Request) -> tuple[int, Any]:
    """`POST /conversations`: begin a conversation, now or at its `start_at`."""
    body = request.body(StartBody)
    if body.start_at is None:
        return start_conversation(request)
    # Without a key nothing else tells this request from the next one.
    own = request.fingerprint or fingerprint(request.key_id, request.request_id)
    conversation_id, dedupe = conversation_id_for_request(own), request.dedupe()
    if bootstrap().scheduled.get(conversation_id):
        return _again(conversation_id, dedupe)
    schedule = _schedule(request, body, body.start_at, own)
    # The alarm first: one that rings for nothing does no harm, and one that is missing would.
    bootstrap().start_scheduler.schedule(conversation_id, schedule.start_at)
    try:
        bootstrap().scheduled.add(schedule, dedupe)
    except (VersionConflictError, AlreadyProcessedError):
        return _again(conversation_id, dedupe)
    count(Metric.CONVERSATION_SCHEDULED)
    logger.info("scheduled", extra={"conversation_id": conversation_id})
    return 202, scheduled_view(schedule)


def cancel_conversation(request: Request) -> tuple[int, Any]:
    """`DELETE /conversations/{id}`: a conversation that was to begin later doesn't."""
    conversation_id = conversation_id_of(request)
    schedule = bootstrap().scheduled.get(conversation_id)
    if schedule and schedule.status is ScheduleStatus.SCHEDULED:
        schedule = _move(schedule, ScheduleStatus.CANCELLED)
    if schedule is None:
        if bootstrap().store.load(conversation_id) is None:
            raise unknown_conversation()
        raise _begun()
    if schedule.status is not ScheduleStatus.CANCELLED:
        raise _begun()
    bootstrap().start_scheduler.cancel(conversation_id)
    return 200, scheduled_view(schedule)


def start_scheduled() -> Callable[[dict[str, Any], Any], dict[str, str]]:
    """The handler of the function that alarms call. Answers what became of the conversation.

    It raises what keeps the conversation from beginning, and is then called again by Lambda, and in
    the end its event is among the dead letters.
    """

    @lambda_handler
    def handler(event: dict[str, Any], _context: Any) -> dict[str, str]:
        conversation_id = str(event["conversation_id"])
        logger.thread_safe_append_keys(conversation_id=conversation_id)
        schedule = bootstrap().scheduled.get(conversation_id)
        if schedule and schedule.status is ScheduleStatus.SCHEDULED:
            schedule = _move(schedule, ScheduleStatus.STARTING)
        if schedule is None or schedule.status is ScheduleStatus.CANCELLED:
            logger.info("not started", extra={"reason": schedule.status if schedule else "unknown"})
            return {"status": "not_started"}
        try:
            start_conversation(_request(schedule))
        except ApiError as error:
            logger.error("not started", extra={"reason": error.code})
            passing = error.status == 429 or error.status >= 500
            if not passing or bootstrap().clock() > schedule.start_at + RETRY_LIMIT_FOR:
                count(Metric.SCHEDULED_FAILED)
                failure = Failure(code=error.code, message=error.message)
                _move(schedule, ScheduleStatus.FAILED, failure)
            raise
        return {"status": "started"}

    return handler


def _schedule(
    request: Request, body: StartBody, start_at: datetime, own: str
) -> ScheduledConversation:
    """The schedule that a request asks for. Raises an ApiError for what is sure to be refused."""
    now = bootstrap().clock()
    if not now < start_at <= now + MAX_SCHEDULE_AHEAD:
        raise invalid("start_at", "not in the future, or more than a year away")
    conversation_id = conversation_id_for_request(own)
    start_input(request, body, conversation_id)
    return ScheduledConversation(
        id=conversation_id,
        start_at=start_at,
        created_at=now,
        body=body.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"start_at"}),
        key_id=request.key_id,
        fingerprint=own,
        base_url=base_url(request.event, bootstrap().settings.public_base_url),
    )


def _again(conversation_id: str, dedupe: DedupeRecord | None) -> tuple[int, View]:
    """The answer to a request whose Idempotency-Key came before."""
    known_hash = None
    try:
        if dedupe:
            bootstrap().store.check_not_processed(dedupe)
    except AlreadyProcessedError as duplicate:
        known_hash = duplicate.request_hash
    schedule = bootstrap().scheduled.get(conversation_id)
    if schedule is None and known_hash is None:
        raise TooManyConflictsError  # the other one, at the same time, has not come through either
    if dedupe is None or schedule is None or known_hash != dedupe.request_hash:
        raise invalid("Idempotency-Key", "was used for another request", "idempotency_key_reused")
    return 200, scheduled_view(schedule)


def _move(
    schedule: ScheduledConversation, to: ScheduleStatus, failure: Failure | None = None
) -> ScheduledConversation:
    """The schedule after a move, or as somebody else has moved it meanwhile."""
    try:
        return bootstrap().scheduled.move(schedule, to, failure)
    except VersionConflictError:
        return bootstrap().scheduled.get(schedule.id) or schedule


def _request(schedule: ScheduledConversation) -> Request:
    """The request as it came, but that its id and its guests' are given."""
    scheme, _, host = schedule.base_url.partition("://")
    event = {
        "rawPath": "/conversations",
        "headers": {"x-forwarded-proto": scheme},
        "body": json.dumps(schedule.body),
        "requestContext": {
            "requestId": f"schedule-{schedule.id}",
            "domainName": host,
            "http": {"method": "POST"},
        },
    }
    return Request(event, schedule.key_id, schedule.fingerprint)


def _begun() -> ApiError:
    return ApiError(409, "already_started", "It has begun; it can be stopped.")

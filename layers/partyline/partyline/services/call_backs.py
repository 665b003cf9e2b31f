"""The assistant's tool `call_back`: book a conversation with the caller for later.

A call back is a booking as any other: the same request, limits and rules. A conversation has one
open call back: another time replaces the time before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from partyline.domain import numbers
from partyline.domain.dial_policy import DialPolicy, DialRuleError
from partyline.domain.model.conversation import WITHHELD, Conversation, caller_of
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.inputs import NoteCallBack
from partyline.domain.names import plain_text
from partyline.ids import conversation_id_for_request, fingerprint
from partyline.services.assistant_tools import ToolCall
from partyline.services.bearer_keys import CALL_BACK_ID
from partyline.services.command_executor import own_lines_of
from partyline.services.engine import Engine
from partyline.services.errors import RequestError
from partyline.services.quotas import Quotas
from partyline.services.requester import Requester
from partyline.services.requests import StartRequest
from partyline.services.scheduling import MAX_SCHEDULE_AHEAD, Scheduling
from partyline.services.validation import validate
from partyline.store import ConversationStore, DedupeRecord, keys
from partyline.store.errors import ConversationTooLargeError, QuotaExceededError
from partyline.store.scheduled import ScheduledConversation, ScheduledConversations, ScheduleStatus
from partyline.telemetry import Metric, count, logger

MAX_CALL_BACKS = 5
"""Bookings in a conversation: the first, and four other times."""

SOON = timedelta(hours=2)  # until when the answer also says in how many minutes

WITHHELD_NUMBER = "The caller's number is withheld, so nobody can call back."
NOT_DIALLED = "The caller's number cannot be called back from here."
WHEN = "Say when to call back: in how many minutes, or a date and a time."
ZONE = "Say the time with its zone, as 2027-01-04T15:00:00-05:00."
QUIET = "Nobody is called at that hour of the day where the caller is. Choose another time."
NOT_NOW = "The call back cannot be booked at the moment."
TOO_MANY = "The limit of call backs is reached, so no other call back can be booked."


class _AnswerError(Exception):
    """The call back is not booked; the text is the answer to the model."""


@dataclass(frozen=True)
class CallBacks:
    """The tool `call_back`."""

    store: ConversationStore
    scheduled: ScheduledConversations
    scheduling: Scheduling
    engine: Engine
    quotas: Quotas
    dial_policy: DialPolicy
    clock: Callable[[], datetime]
    mask: Callable[[str], str]

    def call_back(self, call: ToolCall, arguments: dict[str, Any]) -> str:
        """Book a conversation with the caller `at` a time, or `in_minutes`; say the result."""
        try:
            number = self._number(call.conversation)
            at = self._moment(call, arguments, number)
            return self._book(call, number, at, self._name(arguments, call.conversation))
        except _AnswerError as answer:
            return str(answer)

    def _number(self, conversation: Conversation) -> str:
        """Return the caller's number. Raises an answer for a number that cannot be dialled."""
        host = conversation.host
        leg = host.active_leg or (host.legs[-1] if host.legs else None)
        shown = (leg.to if host.plan else leg.from_) if leg else None
        if caller_of(shown) == WITHHELD:
            raise _AnswerError(WITHHELD_NUMBER)
        destinations = self.scheduling.conversations.settings.destinations
        number = destinations.number_rung(shown or "")
        if number is None or destinations.refusal(number):
            raise _AnswerError(NOT_DIALLED)
        return number

    def _name(self, arguments: dict[str, Any], conversation: Conversation) -> str | None:
        said = arguments.get("name")
        name = plain_text(self.mask(said))[:128].strip() if isinstance(said, str) else ""
        return name or conversation.host.name

    def _moment(self, call: ToolCall, arguments: dict[str, Any], number: str) -> datetime:
        """Return the time that the model means, in whole minutes. Raises an answer."""
        now = self.clock()
        at = _asked_time(call.asked_at, arguments, number)
        if at <= now:
            present = _spoken(now, number)
            raise _AnswerError(f"That time is over. It is {present}. Say a later time.")
        if at > now + MAX_SCHEDULE_AHEAD:
            raise _AnswerError("That is more than a year away. Say an earlier time.")
        return at

    def _book(self, call: ToolCall, number: str, at: datetime, name: str | None) -> str:
        earlier = self._bookings(call.conversation)
        newest = earlier[-1] if earlier else None
        is_booked = newest is not None and _is_open(newest) and newest.start_at == at
        if newest is None or not is_booked:
            if len(earlier) >= MAX_CALL_BACKS:
                raise _AnswerError(TOO_MANY)
            self._check(call, number, at)
            newest = self._add(call, _body(call.conversation, number, at, name), len(earlier))
        self._note(call, newest)
        # The earlier time is cancelled last: a function that dies leaves a call back, and the next
        # call of the tool cancels what is left.
        for booking in earlier[:-1] if is_booked else earlier:
            self._cancel(booking)
        return f"The call back is booked: {_spoken(newest.start_at, number, self.clock())}."

    def _bookings(self, conversation: Conversation) -> list[ScheduledConversation]:
        """Return the call backs that the conversation has booked so far, in their order."""
        bookings: list[ScheduledConversation] = []
        while len(bookings) < MAX_CALL_BACKS:
            own = conversation_id_for_request(_fingerprint(conversation, len(bookings)))
            booking = self.scheduled.get(own)
            if booking is None:
                break
            bookings.append(booking)
        return bookings

    def _check(self, call: ToolCall, number: str, at: datetime) -> None:
        """Raise an answer where a dial rule or a quota of the tools forbids the call back."""
        conversation = call.conversation
        try:
            refused = self.dial_policy.refusal(number, at, own_lines_of(conversation))
        except DialRuleError:
            raise _AnswerError(NOT_NOW) from None
        if refused:
            raise _AnswerError(QUIET if refused.rule == "quiet_hours" else NOT_DIALLED)
        try:
            line = conversation.route or ""
            self.store.charge(self.quotas.tool_charges(conversation.id, line, 1))
        except (RequestError, QuotaExceededError):
            count(Metric.TOOL_LIMITED)
            raise _AnswerError(TOO_MANY) from None

    def _add(self, call: ToolCall, body: dict[str, Any], nth: int) -> ScheduledConversation:
        """Book a start; returns the booking, or that of another call of the tool just now.

        Raises an answer.
        """
        conversation = call.conversation
        requester = Requester(
            key_id=CALL_BACK_ID,
            request_id=call.request_id,
            base_url=conversation.base_url or "",
            fingerprint=_fingerprint(conversation, nth),
            by_key=False,
        )
        try:
            self.scheduling.start_or_schedule(validate(StartRequest, body), requester)
        except RequestError as error:
            if error.code is not ErrorCode.IDEMPOTENCY_KEY_REUSED:
                logger.warning("call back not booked", extra={"reason": error.code})
                raise _AnswerError(NOT_NOW) from None
        booking = self.scheduled.get(conversation_id_for_request(requester.fingerprint))
        if booking is None:
            raise _AnswerError(NOT_NOW)
        return booking

    def _note(self, call: ToolCall, booking: ScheduledConversation) -> None:
        """Add the event of a booking to the conversation's timeline, once."""
        conversation = call.conversation
        note = NoteCallBack(id=call.request_id, booked_id=booking.id, start_at=booking.start_at)
        dedupe = DedupeRecord(keys.webhook(conversation.id, booking.id))
        load = self.store.loader(conversation.id, conversation)
        try:
            self.engine.ingest(load, note, dedupe)
        except ConversationTooLargeError:
            logger.warning("call back not noted", extra={"conversation_id": conversation.id})

    def _cancel(self, booking: ScheduledConversation) -> None:
        if not _is_open(booking):
            return
        try:
            self.scheduling.cancel(booking.id)
        except RequestError as error:  # the earlier call back starts at this moment
            logger.warning("call back not cancelled", extra={"reason": error.code})


def _fingerprint(conversation: Conversation, nth: int) -> str:
    """Return the fingerprint of a booking: two calls of the tool at once book a single start."""
    return fingerprint(conversation.id, CALL_BACK_ID, str(nth))


def _is_open(booking: ScheduledConversation) -> bool:
    return booking.status is ScheduleStatus.SCHEDULED


def _body(
    conversation: Conversation, number: str, at: datetime, name: str | None
) -> dict[str, Any]:
    """Return the request of the call back: the same assistant and line call the caller."""
    line = conversation.route
    body = {
        "to": number,
        "from": line if line and line.startswith("+") else None,
        "name": name,
        "assistant": conversation.assistant.model_dump(exclude_none=True),
        "on_hangup": conversation.host.on_hangup,
        "words": conversation.phrases,
        "metadata": {"call_back_of": conversation.id},
        "start_at": at.isoformat(),
    }
    return {field: value for field, value in body.items() if value is not None}


def _asked_time(asked_at: datetime, arguments: dict[str, Any], number: str) -> datetime:
    """Return the time that `at` or `in_minutes` names, to the nearest minute. Raises an answer."""
    minutes, text = arguments.get("in_minutes"), arguments.get("at")
    if minutes in (None, "") and isinstance(text, str):
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            raise _AnswerError(WHEN) from None
        zone = at.tzinfo or _zone(number, at.replace(tzinfo=UTC))
        if zone is None:
            raise _AnswerError(ZONE)
        return _whole_minute(at.replace(tzinfo=zone))
    if isinstance(minutes, bool) or text not in (None, ""):
        raise _AnswerError(WHEN)
    try:
        return _whole_minute(asked_at + timedelta(minutes=float(str(minutes))))
    except (ValueError, OverflowError):
        raise _AnswerError(WHEN) from None


def _whole_minute(at: datetime) -> datetime:
    try:
        return (at.astimezone(UTC) + timedelta(seconds=30)).replace(second=0, microsecond=0)
    except OverflowError:
        raise _AnswerError(WHEN) from None


def _zone(number: str, at: datetime) -> tzinfo | None:
    """Return the time zone of a number; None when the number may be in zones that differ then."""
    zones = [ZoneInfo(name) for name in numbers.time_zones(number)]
    offsets = {at.astimezone(zone).utcoffset() for zone in zones}
    return zones[0] if len(offsets) == 1 else None


def _spoken(at: datetime, number: str, now: datetime | None = None) -> str:
    """Return a time in words, by the clock where the number is; with `now`, also how soon."""
    zone = _zone(number, at)
    local = at.astimezone(zone or UTC)
    hour, half = local.hour % 12 or 12, "AM" if local.hour < 12 else "PM"
    where = "where the caller is" if zone else "UTC"
    words = f"{local:%A}, {local:%B} {local.day}, {hour}:{local.minute:02} {half} {where}"
    minutes = round((at - now).total_seconds() / 60) if now and at - now < SOON else 0
    return f"in {minutes} minutes, {words}" if minutes > 1 else words

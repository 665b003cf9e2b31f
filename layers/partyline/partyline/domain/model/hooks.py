"""Hooks: the URLs that get events as Standard Webhooks, and the delivery of each event."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from partyline.domain.model.events import DisabledReason

SECRET_OVERLAP = timedelta(hours=24)
"""How long a replaced secret signs beside the new secret."""

MAX_SECRETS = 3
"""The most secrets that sign at the same time."""

RETRY_PAUSES = tuple(
    timedelta(seconds=secs)
    for secs in (5, 30, 120, 300, 900, 1800, 3600, 7200, 14_400, 21_600, 37_800)
)
"""The pause after each failed attempt of a delivery. The last attempt is a day and 23 minutes after
the first attempt."""

FAILING_FOR = timedelta(days=1)
"""A hook without a successful delivery in this time is switched off."""

DELIVERY_KEPT = timedelta(days=30)
"""How long the row of a delivery is kept."""


class HookSecret(BaseModel):
    """A signing secret: the nonce from which the secret is derived, and its end if replaced."""

    nonce: str
    expires_at: datetime | None = None


class Hook(BaseModel):
    """A hook. No type in `event_types` stands for all types."""

    id: str
    url: str
    event_types: list[str] = []
    description: str | None = None
    enabled: bool = True
    secrets: list[HookSecret]
    failing_since: datetime | None = None
    disabled_reason: DisabledReason | None = None
    created_at: datetime
    changed_at: datetime
    changed_by: str
    version: int = 0

    def takes(self, event_type: str) -> bool:
        """Whether the hook is for events of a type."""
        return not self.event_types or event_type in self.event_types

    def nonces(self, now: datetime) -> list[str]:
        """Return the nonces of the secrets that sign now, the newest first."""
        return [s.nonce for s in self.secrets if s.expires_at is None or now < s.expires_at]

    def with_secret(self, nonce: str, now: datetime) -> "Hook":
        """Return the hook with a new secret; the former secret signs for `SECRET_OVERLAP`.

        A request whose answer was lost is sent again, so the secret before the former stays too.
        """
        newest, *older = self.secrets
        former = HookSecret(nonce=newest.nonce, expires_at=now + SECRET_OVERLAP)
        kept = [HookSecret(nonce=nonce), former, *older][:MAX_SECRETS]
        return self.model_copy(update={"secrets": kept})


class DeliveryStatus(StrEnum):
    """The status of a delivery."""

    PENDING = "pending"  # not tried yet
    RETRYING = "retrying"  # tried without success; another attempt follows
    DELIVERED = "delivered"
    FAILED = "failed"  # no further attempt follows
    SKIPPED = "skipped"  # the hook was off


class Delivery(BaseModel):
    """The delivery of an event to a hook.

    `since` is the time of the request or event that began the attempts. `detail` is the content of
    an event without a conversation; the content of other events is in the conversation's rows.
    """

    event_id: str
    type: str
    occurred_at: datetime
    conversation_id: str = ""
    seq: int = 0
    detail: dict[str, Any] | None = None
    status: DeliveryStatus = DeliveryStatus.PENDING
    since: datetime
    attempts: int = 0
    attempted_at: datetime | None = None
    next_attempt_at: datetime | None = None
    http_status: int | None = None
    error: str | None = None

    @classmethod
    def of(cls, detail: dict[str, Any], since: datetime) -> "Delivery":
        """Return the delivery of an event whose content is `detail`."""
        conversation_id = detail["conversation_id"]
        return cls(
            event_id=event_id_of(detail),
            type=detail["type"],
            occurred_at=detail["occurred_at"],
            conversation_id=conversation_id,
            seq=detail["seq"] if conversation_id else 0,
            detail=None if conversation_id else detail,
            since=since,
        )

    def begun_again(self, now: datetime) -> "Delivery":
        """Return the delivery as before its first attempt."""
        return Delivery(**self.model_dump(include=_OF_THE_EVENT), since=now)


_OF_THE_EVENT = {"event_id", "type", "occurred_at", "conversation_id", "seq", "detail"}

_OTHER_SIGN = re.compile(r"[^\w-]", re.ASCII)  # a point would make the signed content ambiguous
_EVENT_ID = re.compile(r"msg_([A-Za-z0-9-]{1,64})_([0-9]{1,6})", re.ASCII)


def event_id_of(detail: dict[str, Any]) -> str:
    """Return the `webhook-id` of an event: the same for each delivery of the event."""
    if detail["conversation_id"]:
        return f"msg_{detail['conversation_id']}_{detail['seq']}"
    return _OTHER_SIGN.sub("-", f"msg_{detail['type']}_{detail['cause']}")


def event_place(event_id: str) -> tuple[str, int] | None:
    """Return the conversation's id and the event's number in an id; None for another id."""
    match = _EVENT_ID.fullmatch(event_id)
    return (match[1], int(match[2])) if match else None

"""The use cases of hooks: put, delete, a new secret, replay."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import HookChanged
from partyline.domain.model.hooks import (
    SECRET_OVERLAP,
    Delivery,
    Hook,
    HookSecret,
    event_place,
)
from partyline.services.errors import RequestError, field_invalid
from partyline.services.hook_queue import Attempt, HookQueue
from partyline.services.hook_signing import secret_of, shown_secret
from partyline.services.hook_urls import url_problem
from partyline.store.directory import Change
from partyline.store.errors import TooManyConflictsError
from partyline.store.hooks import HookStore

MAX_HOOKS = 50
"""Bound of the requests that an event leads to."""

MAX_CONFLICTS = 5
"""How often a change of a hook is tried while others change the hook."""

REPLAYED_AT_ONCE = 100
"""Deliveries that a request replays: each is a write and a part of a message to the queue."""


@dataclass(frozen=True)
class HookFields:
    """The fields of a hook that a request sets."""

    url: str
    event_types: Sequence[str]
    description: str | None
    enabled: bool


@dataclass(frozen=True)
class NewSecret:
    """A hook with a secret that is shown once, and the end of the former secret, if any."""

    hook: Hook
    secret: str | None
    former_until: datetime | None = None


class Hooks:
    """The hooks of a deployment. Every method may raise an `AwsError`.

    `key` returns the key from which the secrets are derived.
    """

    def __init__(
        self, store: HookStore, queue: HookQueue, key: Callable[[], str], *, allow_loopback: bool
    ) -> None:
        self.store = store
        self._queue = queue
        self._key = key
        self._allow_loopback = allow_loopback

    def put(self, hook_id: str, fields: HookFields, change: Change) -> NewSecret:
        """Make a hook, or change its fields. A new hook comes with its secret.

        A hook that is switched on has no past failures. Raises a RequestError for a URL that is not
        allowed, and for a hook beyond `MAX_HOOKS`.
        """
        problem = url_problem(fields.url, allow_loopback=self._allow_loopback)
        if problem:
            raise field_invalid("url", problem)
        return _until_stored(lambda: self._put(hook_id, fields, change))

    def _put(self, hook_id: str, fields: HookFields, change: Change) -> NewSecret:
        former = self.store.get(hook_id)
        if former is None and len(self.store.all()) >= MAX_HOOKS:
            raise RequestError(ErrorCode.TOO_MANY_HOOKS, f"There are {MAX_HOOKS} hooks already.")
        hook = Hook(
            id=hook_id,
            url=fields.url,
            event_types=list(dict.fromkeys(fields.event_types)),
            description=fields.description,
            enabled=fields.enabled,
            secrets=former.secrets if former else [HookSecret(nonce=_nonce())],
            created_at=former.created_at if former else change.at,
            changed_at=change.at,
            changed_by=change.key_id,
            version=former.version if former else 0,
        )
        if former and former.enabled and hook.enabled and former.url == hook.url:
            hook.failing_since = former.failing_since
        self._save(hook, "put", change)
        return NewSecret(hook, None if former else self._secret(hook))

    def get(self, hook_id: str) -> Hook:
        """Return a hook. Raises a RequestError for an unknown id."""
        hook = self.store.get(hook_id)
        if hook is None:
            raise RequestError(ErrorCode.UNKNOWN_HOOK, "There is no such hook.")
        return hook

    def delete(self, hook_id: str, change: Change) -> None:
        """Delete a hook; its secrets and its deliveries on the way are void."""
        data = HookChanged(hook_id=hook_id, hook_change="deleted", key_id=change.key_id)
        _until_stored(
            lambda: self.store.delete(self.get(hook_id), data, change.at, change.request_id)
        )

    def replace_secret(self, hook_id: str, change: Change) -> NewSecret:
        """Give a hook a new secret; the former secret signs beside the new secret for a day."""
        return _until_stored(lambda: self._replace_secret(hook_id, change))

    def _replace_secret(self, hook_id: str, change: Change) -> NewSecret:
        changed = {"changed_at": change.at, "changed_by": change.key_id}
        hook = self.get(hook_id).with_secret(_nonce(), change.at).model_copy(update=changed)
        self._save(hook, "secret_replaced", change)
        return NewSecret(hook, self._secret(hook), change.at + SECRET_OVERLAP)

    def replay_event(self, hook_id: str, event_id: str, now: datetime) -> int:
        """Deliver an event of a conversation again, whatever its type. Returns 1.

        Raises a RequestError for an unknown event and for a hook that is off.
        """
        hook, place = self._enabled(hook_id), event_place(event_id)
        detail = self.store.event(*place) if place else None
        if detail is None:
            raise RequestError(ErrorCode.UNKNOWN_EVENT, "No conversation has such an event.")
        self._begin_again(hook, [Delivery.of(detail, now)], now)
        return 1

    def replay_span(
        self, hook_id: str, first: datetime, last: datetime, cursor: str | None, now: datetime
    ) -> tuple[int, str | None]:
        """Deliver the events of a span of time again, a page at a time.

        Returns the number of deliveries and the cursor of the next page. The span counts the times
        of the events. Raises a RequestError for a hook that is off.
        """
        hook = self._enabled(hook_id)
        page = self.store.deliveries_between(hook_id, first, last, REPLAYED_AT_ONCE, cursor)
        self._begin_again(hook, page.items, now)
        return len(page.items), page.next_cursor

    def _enabled(self, hook_id: str) -> Hook:
        hook = self.get(hook_id)
        if not hook.enabled:
            raise RequestError(ErrorCode.HOOK_DISABLED, "The hook is off: put it with `enabled`.")
        return hook

    def _begin_again(self, hook: Hook, deliveries: Sequence[Delivery], now: datetime) -> None:
        """Write the rows before the messages: a message of an unknown series would do nothing."""
        anew = [delivery.begun_again(now) for delivery in deliveries]
        for delivery in anew:
            self.store.begin_series(hook.id, delivery)
        self._queue.send([Attempt.first(hook, delivery) for delivery in anew])

    def _save(self, hook: Hook, kind: Literal["put", "secret_replaced"], change: Change) -> None:
        data = HookChanged(hook_id=hook.id, hook_change=kind, key_id=change.key_id)
        self.store.save(hook, data, change.at, change.request_id)

    def _secret(self, hook: Hook) -> str:
        return shown_secret(secret_of(self._key(), hook.id, hook.secrets[0].nonce))


Stored = TypeVar("Stored")


def _until_stored(work: Callable[[], Stored]) -> Stored:
    """Repeat a change of a hook that a delivery changes meanwhile: it notes since when it fails."""
    for _ in range(MAX_CONFLICTS - 1):
        with suppress(TooManyConflictsError):
            return work()
    return work()


def _nonce() -> str:
    return secrets.token_hex(16)

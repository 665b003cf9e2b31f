"""A change to the directory, for tests that edit routes and the do-not-call list directly."""

from datetime import UTC, datetime

from partyline.store.directory import Change

CHANGE = Change(key_id="key-1", request_id="request-1", at=datetime(2036, 11, 22, 9, 0, tzinfo=UTC))

"""Conversations in DynamoDB: one table, one document a conversation, one transaction a step."""

from partyline.store.store import (
    MAX_DOCUMENT_BYTES,
    Charge,
    Inbox,
    Listed,
    Store,
    conversation_in,
    event_in,
)

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "Charge",
    "Inbox",
    "Listed",
    "Store",
    "conversation_in",
    "event_in",
]

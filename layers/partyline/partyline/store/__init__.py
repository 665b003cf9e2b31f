"""Conversations in DynamoDB: one table, one document a conversation, one transaction a step."""

from partyline.store.store import (
    Conflict,
    Duplicate,
    Inbox,
    Listed,
    Store,
    TooLarge,
    conversation_in,
)

__all__ = ["Conflict", "Duplicate", "Inbox", "Listed", "Store", "TooLarge", "conversation_in"]

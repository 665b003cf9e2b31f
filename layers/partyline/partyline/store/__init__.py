"""Conversations in DynamoDB: one table, one document a conversation, one transaction a step."""

from partyline.store.conversations import (
    MAX_DOCUMENT_BYTES,
    ConversationPage,
    ConversationStore,
    DedupeRecord,
    QuotaCharge,
    conversation_in,
    event_in,
)

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "ConversationPage",
    "ConversationStore",
    "DedupeRecord",
    "QuotaCharge",
    "conversation_in",
    "event_in",
]

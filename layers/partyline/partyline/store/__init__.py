"""The DynamoDB table: a document per conversation, a transaction per step, models out."""

from partyline.store.conversations import (
    MAX_DOCUMENT_BYTES,
    CallLookup,
    ConversationPage,
    ConversationStore,
    DedupeRecord,
    QuotaCharge,
    TimelinePage,
    event_in,
)

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "CallLookup",
    "ConversationPage",
    "ConversationStore",
    "DedupeRecord",
    "QuotaCharge",
    "TimelinePage",
    "event_in",
]

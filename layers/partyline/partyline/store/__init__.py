"""The DynamoDB table: a document per conversation, a transaction per step, models out."""

from partyline.store.conversations import ConversationStore, DedupeRecord
from partyline.store.quota_charges import QuotaCharge

__all__ = ["ConversationStore", "DedupeRecord", "QuotaCharge"]

"""Partyline: a Telnyx AI assistant and up to 20 people on one phone conversation."""

"""Partyline: a Telnyx AI assistant and any number of people on one phone conversation."""

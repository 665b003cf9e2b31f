"""`make scale`: live conversations in virtual time, and what they use of Telnyx and AWS."""

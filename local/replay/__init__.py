"""`partyline export` and `partyline replay`: a conversation in a file, decided again."""

"""`partyline`: the command line."""

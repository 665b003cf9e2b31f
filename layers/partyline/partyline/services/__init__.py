"""Use cases: what the product does, for every kind of caller. Nothing here answers HTTP."""

"""The live test: calls on the user's own account that answer the list of unknowns."""

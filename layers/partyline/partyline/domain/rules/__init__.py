"""The verbs: recording inputs, and the rules that move a conversation (`decide` has the map)."""

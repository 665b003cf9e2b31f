"""The verbs: the rules that move a conversation, in the order in which `decide` runs them."""

"""The nouns: statuses, conversations, commands, events, inputs, results, timeouts, error codes."""

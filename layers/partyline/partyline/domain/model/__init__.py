"""The nouns: statuses, conversations, commands, events, inputs and results of commands."""

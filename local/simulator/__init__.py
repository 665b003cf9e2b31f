"""A Telnyx on a laptop: phone calls, AI assistants and signed webhooks, without a phone."""

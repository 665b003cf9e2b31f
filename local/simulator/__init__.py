"""A simulated Telnyx: phone calls, AI assistants and signed webhooks on a laptop."""

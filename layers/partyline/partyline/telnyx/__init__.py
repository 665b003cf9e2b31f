"""Telnyx: its commands, errors, webhooks and signatures. Knows nothing of our conversations."""

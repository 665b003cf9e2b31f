"""Telnyx: commands, answers, errors, webhooks and signatures. Independent of our conversations."""

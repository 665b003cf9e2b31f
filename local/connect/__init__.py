"""Connecting a Telnyx account to a deployment, checking that it is, and putting back what was."""

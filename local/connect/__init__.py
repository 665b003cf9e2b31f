"""Connects a Telnyx account to a deployment, checks the connection, restores old settings."""

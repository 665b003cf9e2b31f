"""The longest wait of a test for an effect. No test asserts a time."""

PATIENCE_SECS = 120.0
"""Longer than a slow machine needs. A wait ends with its effect, so a long limit costs no time."""

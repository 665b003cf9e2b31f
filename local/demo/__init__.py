"""`make demo`: calls through the real handlers, and a trace of each call."""

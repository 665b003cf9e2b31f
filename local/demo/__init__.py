"""`make demo`: calls through the real handlers, told as they happened."""

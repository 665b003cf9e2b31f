"""The phone room: a page on the local stack, with phones to pick up and the call drawn live."""

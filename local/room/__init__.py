"""The phone room: a page of the local stack with phones and a live diagram of each call."""

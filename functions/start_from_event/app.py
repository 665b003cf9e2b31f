"""Start a conversation from a `StartConversation` event on the bus."""

from partyline.entrypoints.start_from_event import start_from_event

handler = start_from_event()

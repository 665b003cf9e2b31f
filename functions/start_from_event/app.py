"""A `StartConversation` event on the bus: what `POST /conversations` does, for who has no key."""

from partyline.entrypoints.start_from_event import start_from_event

handler = start_from_event()

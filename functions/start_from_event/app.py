"""A `StartConversation` event on the bus: what `POST /conversations` does, for who has no key."""

from partyline.entrypoints.inbox import inbox

handler = inbox()

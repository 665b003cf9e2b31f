"""Events out: rows of the timeline become plain JSON, on their way from the table to the bus."""

from partyline.entrypoints.event_relay import event_relay

handler = event_relay()

"""Put new timeline events on the bus: the function behind the table's stream."""

from partyline.entrypoints.event_relay import event_relay

handler = event_relay()

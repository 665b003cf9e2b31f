"""The queue of deliveries: sends an event to a hook, and the next attempt to the queue."""

from partyline.entrypoints.hooks import deliver_hooks

handler = deliver_hooks()

"""The queue of events for hooks: makes a delivery for each hook that takes an event."""

from partyline.entrypoints.hooks import fan_out_hooks

handler = fan_out_hooks()

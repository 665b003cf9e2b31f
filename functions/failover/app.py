"""The failover door: webhooks that waited in a queue, because nobody could answer them."""

from partyline.entrypoints.failover import failover

handler = failover()

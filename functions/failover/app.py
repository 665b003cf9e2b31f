"""The failover queue: webhooks that came while their own function could not answer."""

from partyline.entrypoints.failover import failover

handler = failover()

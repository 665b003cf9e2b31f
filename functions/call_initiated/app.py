"""call.initiated: a call begins.

An incoming call starts a conversation when its number has a route, or when the deployment has a
default assistant; the call is then answered. For a call that Partyline dials, the webhook brings
the ids of the call.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

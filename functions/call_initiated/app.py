"""call.initiated: a call begins.

An incoming call to a number with a route, or a default assistant, begins a conversation and is
answered; of a call that we dial this is the first sign.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

"""call.hangup: a call ended.

A joined participant has left. While a participant is being reached, the next number is
dialled.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

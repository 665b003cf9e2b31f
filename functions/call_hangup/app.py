"""call.hangup: a call is over.

Who was on it has left, or was not reached: then the next number is tried, and the assistant told.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

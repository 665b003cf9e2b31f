"""call.conversation.ended: the assistant has left.

The conversation is over, and calls that nobody needs any more are hung up.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

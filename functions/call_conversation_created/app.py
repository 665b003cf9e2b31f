"""call.conversation.created: the assistant runs.

The conversation is active, and whoever waits is joined. It may come before the answer to our own
start, or instead of it.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

"""call.conversation.ended: the conversation of the assistant ended.

The conversation ends, or the assistant restarts for the remaining guests. Calls that are not needed
any more are hung up.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

"""call.conversation.created: the assistant runs.

The conversation becomes active, and waiting guests join. The webhook may come before
the answer to the start command, or instead of the answer.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

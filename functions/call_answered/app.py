"""call.answered: a person or a machine picked up.

The assistant starts on the call of the host; the call of a guest joins the conversation. Machine
detection and screening, where a plan asks for them, decide first.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

"""call.answered: somebody, or something, picked up.

On the host's call the assistant is started, a guest is joined: at once, or once the machine
detection and the screening say so.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

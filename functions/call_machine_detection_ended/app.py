"""call.machine.detection.ended: the verdict of the standard machine detection.

A person is accepted. For a machine, the call is hung up and the next number is dialled.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

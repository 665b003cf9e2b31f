"""call.machine.detection.ended: a person or a machine.

A person goes on as after an answer; a machine is hung up and the next number tried.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

"""call.machine.premium.detection.ended: the verdict of the premium machine detection.

The verdict has the same consequences as the verdict of the standard detection.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

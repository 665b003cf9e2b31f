"""call.machine.premium.detection.ended: a person or a machine, says the premium detection.

The same follows as from the standard one.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

"""call.machine.detection.ended: the verdict of the standard machine detection.

A person is accepted. For a machine, the call is hung up and the next number is dialled, unless the
plan says `on_machine: join` (`domain.rules.hunting`).
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

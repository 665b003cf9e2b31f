"""Any webhook: the one URL that a Telnyx application takes.

Every type of event is taken here just as at its own URL, and unknown ones are counted.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

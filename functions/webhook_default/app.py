"""`POST /webhooks`: webhooks of every event type, for the single URL of a Telnyx application.

An unknown event type is answered 200 and counted.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

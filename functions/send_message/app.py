"""`POST /conversations/{id}/messages`: tell the assistant something."""

from partyline.entrypoints.api.app import api
from partyline.services.conversations import send_message

handler = api(send_message)

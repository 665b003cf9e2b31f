"""`POST /conversations/{id}/messages`: tell the assistant something."""

from partyline.entrypoints.api import api
from partyline.entrypoints.triggers import send_message

handler = api(send_message)

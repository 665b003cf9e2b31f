"""`DELETE /conversations/{id}`: a conversation that was to begin later doesn't."""

from partyline.entrypoints.api import api
from partyline.entrypoints.schedules import cancel_conversation

handler = api(cancel_conversation)

"""`DELETE /conversations/{id}`: a conversation that was to begin later doesn't."""

from partyline.entrypoints.api.app import api
from partyline.services.scheduling import cancel_conversation

handler = api(cancel_conversation)

"""`POST /conversations/{id}/stop`: stop the assistant, and hang up too if asked."""

from partyline.entrypoints.api.app import api
from partyline.services.conversations import stop_conversation

handler = api(stop_conversation)

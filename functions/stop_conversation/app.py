"""`POST /conversations/{id}/stop`: stop the assistant, and hang up too if asked."""

from partyline.entrypoints.api import api
from partyline.entrypoints.triggers import stop_conversation

handler = api(stop_conversation)

"""`GET /conversations/{id}`: one conversation with its participants and insights."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.queries import get_conversation

handler = api(get_conversation)

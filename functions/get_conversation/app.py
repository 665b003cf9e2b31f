"""`GET /conversations/{id}`: one conversation with its participants and insights."""

from partyline.entrypoints.api import api
from partyline.entrypoints.queries import get_conversation

handler = api(get_conversation)

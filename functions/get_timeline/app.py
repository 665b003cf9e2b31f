"""`GET /conversations/{id}/timeline`: what happened in a conversation, in order."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.queries import get_timeline

handler = api(get_timeline)

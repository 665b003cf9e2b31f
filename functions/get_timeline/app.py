"""`GET /conversations/{id}/timeline`: what happened in a conversation, in order."""

from partyline.entrypoints.api import api
from partyline.entrypoints.queries import get_timeline

handler = api(get_timeline)

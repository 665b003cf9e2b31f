"""`GET /conversations`: conversations by status, newest first."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.queries import list_conversations

handler = api(list_conversations)

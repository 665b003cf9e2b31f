"""`GET /conversations`: conversations by status, newest first."""

from partyline.entrypoints.api import api
from partyline.entrypoints.queries import list_conversations

handler = api(list_conversations)

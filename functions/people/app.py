"""`DELETE /people/{number}` and `GET /erasures/{id}`."""

from partyline.entrypoints.api.app import api_handler
from partyline.entrypoints.api.people import people

handler = api_handler(people)

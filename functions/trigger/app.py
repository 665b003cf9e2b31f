"""The routes that dial: `POST /conversations` and `POST /conversations/{id}/participants`."""

from partyline.entrypoints.api.app import api_handler
from partyline.entrypoints.api.conversations import trigger

handler = api_handler(trigger)

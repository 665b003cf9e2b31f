"""`POST /conversations/{id}/participants`: bring another person in."""

from partyline.entrypoints.api.app import api
from partyline.services.conversations import invite_participant

handler = api(invite_participant)

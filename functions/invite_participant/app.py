"""`POST /conversations/{id}/participants`: bring another person in."""

from partyline.entrypoints.api import api
from partyline.entrypoints.triggers import invite_participant

handler = api(invite_participant)

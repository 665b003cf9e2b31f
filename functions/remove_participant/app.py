"""`DELETE /conversations/{id}/participants/{participant_id}`: hang a person up."""

from partyline.entrypoints.api.app import api
from partyline.services.conversations import remove_participant

handler = api(remove_participant)

"""`DELETE /conversations/{id}/participants/{participant_id}`: hang a person up."""

from partyline.entrypoints.api import api
from partyline.entrypoints.triggers import remove_participant

handler = api(remove_participant)

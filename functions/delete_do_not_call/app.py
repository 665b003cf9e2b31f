"""`DELETE /do-not-call/{number}`: the number may be called again."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.directory import delete_do_not_call

handler = api(delete_do_not_call)

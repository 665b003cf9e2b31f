"""`PUT /do-not-call/{number}`: nobody calls this number from now on."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.directory import put_do_not_call

handler = api(put_do_not_call)

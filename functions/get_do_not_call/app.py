"""`GET /do-not-call/{number}`: whether a number is on the do-not-call list."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.directory import get_do_not_call

handler = api(get_do_not_call)

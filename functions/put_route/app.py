"""`PUT /routes/{number}`: how calls to a number of ours are answered, and whom they reach."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.directory import put_route

handler = api(put_route)

"""`PUT /routes/{number}`: how calls to a number of ours are answered, and whom they reach."""

from partyline.entrypoints.api import api
from partyline.entrypoints.directory import put_route

handler = api(put_route)

"""`GET /routes/{number}`: the route of a number of ours."""

from partyline.entrypoints.api import api
from partyline.entrypoints.directory import get_route

handler = api(get_route)

"""`GET /routes/{number}`: the route of a number of ours."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.directory import get_route

handler = api(get_route)

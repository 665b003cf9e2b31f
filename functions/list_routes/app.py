"""`GET /routes`: the routes by their numbers."""

from partyline.entrypoints.api import api
from partyline.entrypoints.directory import list_routes

handler = api(list_routes)

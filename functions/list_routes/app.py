"""`GET /routes`: the routes by their numbers."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.directory import list_routes

handler = api(list_routes)

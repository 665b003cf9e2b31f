"""`DELETE /routes/{number}`: back to the default route."""

from partyline.entrypoints.api.app import api
from partyline.entrypoints.api.directory import delete_route

handler = api(delete_route)

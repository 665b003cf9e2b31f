"""`DELETE /routes/{number}`: back to the default route."""

from partyline.entrypoints.api import api
from partyline.entrypoints.directory import delete_route

handler = api(delete_route)

"""The routes that read conversations. This function cannot write, and cannot reach Telnyx."""

from partyline.entrypoints.api.app import api_handler
from partyline.entrypoints.api.queries import query

handler = api_handler(query)

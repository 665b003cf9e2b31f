"""The routes that edit `/routes` and `/do-not-call`. This function cannot dial."""

from partyline.entrypoints.api.app import api_handler
from partyline.entrypoints.api.directory import directory

handler = api_handler(directory)

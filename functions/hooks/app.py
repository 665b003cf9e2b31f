"""The routes that edit hooks and replay events. This function cannot dial."""

from partyline.entrypoints.api.app import api_handler
from partyline.entrypoints.api.hooks import hooks

handler = api_handler(hooks)

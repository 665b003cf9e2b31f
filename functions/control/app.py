"""The routes that change a conversation without dialling: remove, message, stop and cancel."""

from partyline.entrypoints.api.app import api_handler
from partyline.entrypoints.api.conversations import control

handler = api_handler(control)

"""`POST /conversations`: call somebody with the assistant, or put it on a live call."""

from partyline.entrypoints.api import api
from partyline.entrypoints.triggers import start_conversation

handler = api(start_conversation)

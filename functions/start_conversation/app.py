"""`POST /conversations`: call somebody with the assistant, now or later, or join a live call."""

from partyline.entrypoints.api.app import api
from partyline.services.scheduling import start_or_schedule

handler = api(start_or_schedule)

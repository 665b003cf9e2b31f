"""`POST /conversations`: call somebody with the assistant, now or later, or join a live call."""

from partyline.entrypoints.api import api
from partyline.entrypoints.schedules import start_or_schedule

handler = api(start_or_schedule)

"""The sweep: once a minute, what should have moved and has not is looked at."""

from partyline.entrypoints.sweep import sweep

handler = sweep()

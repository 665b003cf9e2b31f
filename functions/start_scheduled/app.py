"""An alarm rings: a conversation that was asked for earlier begins."""

from partyline.entrypoints.schedules import start_scheduled

handler = start_scheduled()

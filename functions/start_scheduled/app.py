"""An alarm rings: a conversation that was asked for earlier begins."""

from partyline.services.scheduling import start_scheduled

handler = start_scheduled()

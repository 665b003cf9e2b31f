"""Start a conversation at its time: EventBridge Scheduler calls this function."""

from partyline.entrypoints.start_scheduled import start_scheduled

handler = start_scheduled()

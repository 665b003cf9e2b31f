"""The timers' queue: lets time pass for the conversation that a message names."""

from partyline.entrypoints.timer import timer

handler = timer()

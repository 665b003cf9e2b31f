"""The sweep: once a minute, moves conversations whose timers are due."""

from partyline.entrypoints.sweep import sweep

handler = sweep()

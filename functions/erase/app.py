"""The erasures: once a minute, erases conversations and people that are to be erased."""

from partyline.entrypoints.erase import erase

handler = erase()

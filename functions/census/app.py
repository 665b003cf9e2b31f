"""The census: once a minute, finds the live calls whose hangup was lost."""

from partyline.entrypoints.census import census

handler = census()

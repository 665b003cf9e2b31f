"""The smoke test: checks settings, table and secrets before a release gets traffic."""

from partyline.entrypoints.smoke import smoke

handler = smoke()

"""`POST /tools/invite`: the assistant invites a contact by name, or a number."""

from partyline.entrypoints.tools import invite_tool

handler = invite_tool()

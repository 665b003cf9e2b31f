"""`POST /tools/invite`: the assistant asks somebody in, by a contact's name or by number."""

from partyline.entrypoints.tools import invite, tool

handler = tool(invite)

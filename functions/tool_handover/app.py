"""`POST /tools/handover`: the assistant hands the caller over to a contact, or to a number."""

from partyline.entrypoints.tools import handover_tool

handler = handover_tool()

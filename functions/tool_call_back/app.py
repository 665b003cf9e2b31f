"""`POST /tools/call_back`: the assistant books a conversation with the caller for later."""

from partyline.entrypoints.tools import call_back_tool

handler = call_back_tool()

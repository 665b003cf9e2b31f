"""`POST /tools/status`: the assistant asks for the people on the line."""

from partyline.entrypoints.tools import status_tool

handler = status_tool()

"""`POST /tools/status`: the assistant asks who is on the line and who is being called."""

from partyline.entrypoints.tools import status, tool

handler = tool(status)

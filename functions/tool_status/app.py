"""`POST /tools/status`: the assistant asks who is on the line."""

from partyline.entrypoints.tools import tool
from partyline.services.assistant_tools import AssistantTools

handler = tool(AssistantTools.status)

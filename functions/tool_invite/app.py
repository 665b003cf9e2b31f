"""`POST /tools/invite`: the assistant invites a contact by name, or a number."""

from partyline.entrypoints.tools import tool
from partyline.services.assistant_tools import AssistantTools

handler = tool(AssistantTools.invite)

"""call.conversation_insights.generated: Telnyx analysed the conversation.

The insights are stored beside the conversation, before or after its end.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

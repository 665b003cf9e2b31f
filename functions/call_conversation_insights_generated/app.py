"""call.conversation_insights.generated: what Telnyx made of the conversation.

Kept beside the conversation, whether it comes after the end or before.
"""

from partyline.entrypoints.webhook import webhook

handler = webhook()

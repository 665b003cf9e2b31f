"""Rules for the assistant's mode: the wanted mode is brought about, or the mode before holds.

`silent` and `speaking` are messages to the assistant, which listens in both modes. For `away` see
`absence`.
"""

from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import AssistantModeChanged, AssistantModeFailed
from partyline.domain.model.statuses import AssistantMode, ConversationStatus, HandoverStatus
from partyline.domain.model.stored import Failure
from partyline.domain.rules.phrases import render
from partyline.domain.rules.transition import Transition


def want_mode(transition: Transition, mode: AssistantMode) -> None:
    """Ask for a mode. The rules bring the mode about, or go back to the mode that holds."""
    transition.conversation.wanted_mode = mode


def hold_mode(transition: Transition, mode: AssistantMode, reason: str | None = None) -> None:
    """Record that a mode holds from now on."""
    conversation, previous = transition.conversation, transition.conversation.mode
    if mode is previous:
        return
    conversation.mode = mode
    transition.add_event(AssistantModeChanged(mode=mode, previous=previous, reason=reason))


def fail_mode(transition: Transition, mode: AssistantMode, failure: Failure) -> None:
    """Record that a mode does not come about; the mode that holds is wanted again."""
    conversation, handover = transition.conversation, transition.conversation.open_handover
    if handover and handover.status is HandoverStatus.STEPPING_BACK and handover.then == mode:
        handover.failure = failure
    conversation.wanted_mode = conversation.mode
    transition.add_event(AssistantModeFailed(mode=mode, failure=failure))


def tell_mode(transition: Transition) -> None:
    """Tell the assistant to be silent, or to speak; an empty phrase suppresses the message."""
    conversation, wanted = transition.conversation, transition.conversation.wanted_mode
    away = wanted is AssistantMode.AWAY or conversation.absence is not None
    if conversation.status is not ConversationStatus.ACTIVE or away:
        return
    messages = conversation.pending_messages
    messages[:] = [message for message in messages if message.sets_mode in (None, wanted)]
    queued = any(message.sets_mode for message in [*messages, *_messages_under_way(conversation)])
    if wanted is conversation.mode or queued:
        return
    content = render(conversation.phrases, wanted, name="").strip()
    if content:
        messages.append(Message(role="system", content=content, sets_mode=wanted))
    else:
        hold_mode(transition, wanted)


def _messages_under_way(conversation: Conversation) -> list[Message]:
    commands = conversation.commands.values()
    sent = [command.messages or [] for command in commands if command.action is Action.MESSAGE]
    return [message for messages in sent for message in messages]

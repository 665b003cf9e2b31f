"""The greeting of a machine on a call, and the message that the machine takes."""

from datetime import datetime

from partyline.domain.model.stored import Stored


class LegVoicemail(Stored):
    """What is known of a machine's greeting, and how far our message is."""

    greeting_ended_at: datetime | None = None
    prompt_ended_at: datetime | None = None
    """When the words ended without a beep, or lasted longer than Telnyx waits for their end."""
    greeting_unsure: bool = False
    """Telnyx listened to the greeting for its longest time, and heard no end."""
    speak_by: datetime | None = None
    """When the wait for the end of the greeting is given up."""
    begun: bool = False
    """Whether the message was asked for."""
    ends_by: datetime | None = None
    """When the message counts as spoken, also if no webhook says so."""
    spoken: bool = False

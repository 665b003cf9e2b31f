"""A leg: a phone call to or from a participant."""

from datetime import datetime

from pydantic import Field

from partyline.domain.model import statuses
from partyline.domain.model.costs import LegCost
from partyline.domain.model.stored import Failure, Stored
from partyline.domain.model.voice import LegVoice
from partyline.domain.model.voicemail import LegVoicemail


class Leg(Stored):
    """A phone call to or from a participant."""

    number: int
    to: str | None = None
    from_: str | None = None
    owned: bool = True
    """We dialled or answered the call, so we hang up; an attached call goes back to its owner."""
    status: statuses.LegStatus = statuses.LegStatus.DIALING
    outcome: statuses.Outcome | None = None
    is_inferred: bool = False
    """The outcome follows from the webhooks, so a late webhook may correct the outcome."""
    call_control_id: str | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None
    former_ids: list[str] = Field(default_factory=list)
    """Earlier ids of the call, still understood: a call may get other ids at its answer."""
    ids_at: datetime | None = None  # the time of the newest webhook with the current ids
    ring_timeout_secs: int | None = None
    created_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    verdict_deadline: datetime | None = None
    """When the wait for the verdict of the machine detection, or for the digit, ends."""
    poll_at: datetime | None = None
    """When to ask Telnyx about the call, if no webhook has come by then."""
    polled_at: datetime | None = None  # when Telnyx was last asked about the call
    bridged_at: datetime | None = None
    """When Telnyx connected the call to another call, which may be ours."""
    transferred: bool = False
    """Telnyx connected the call to a call that is not ours, so we do not hang up the call."""
    unknown_since: datetime | None = None  # since when Telnyx does not know the call, if asked
    unlisted: bool = False
    """A census lacked the call, so the call is polled by itself."""
    machine: bool | None = None
    heard_at: datetime | None = None
    """When speech was last taken for a machine's; a phone that screens the call speaks too."""
    screened_at: datetime | None = None  # when a phone was found to screen the call
    voicemail: LegVoicemail = Field(default_factory=LegVoicemail)
    wrong_keys: int = 0  # how many other keys than the accepting key were pressed
    lost_answers: int = 0  # how many questions of the screening ended without a webhook
    screening_result: statuses.Outcome | None = None
    """What the pressed keys say: `human`, `declined`, or `no_answer` for no key."""
    voice: LegVoice = Field(default_factory=LegVoice)
    hangup_cause: str | None = None
    sip_hangup_cause: str | None = None
    mos: float | None = None  # the quality of the call as Telnyx measured, from 1 to 5
    cost: LegCost | None = None
    failure: Failure | None = None
    rule: str | None = None  # the dial rule that refused the call, if any

    def has_id(self, id_: str | None) -> bool:
        """Whether the call has, or had, this id."""
        return id_ is not None and id_ in (
            self.call_control_id,
            self.call_leg_id,
            *self.former_ids,
        )

    @property
    def machine_suspected(self) -> bool:
        """Whether a machine speaks on the call, or a phone screens the call, as far as we know."""
        return self.heard_at is not None or self.screened_at is not None

    @property
    def machine_outcome(self) -> statuses.Outcome:
        """The outcome of the call if no person takes the call."""
        if self.voicemail.spoken:
            return statuses.Outcome.VOICEMAIL_LEFT
        return statuses.Outcome.SCREENED if self.screened_at else statuses.Outcome.MACHINE

    @property
    def takes_message(self) -> bool:
        """Whether our message is being spoken to the machine, as far as we know."""
        return self.voicemail.begun and self.is_up and self.outcome is None

    @property
    def is_up(self) -> bool:
        """Whether the call is still up, as far as we know."""
        return self.status is not statuses.LegStatus.ENDED

    @property
    def is_ringing(self) -> bool:
        """Whether the call is not answered yet, as far as we know."""
        return self.status in (statuses.LegStatus.DIALING, statuses.LegStatus.RINGING)

    @property
    def is_listed(self) -> bool:
        """Whether the list of our connection's active calls must have the call (see the census)."""
        answered = self.is_up and not self.is_ringing and self.call_control_id is not None
        return answered and self.owned and not self.unlisted

    @property
    def is_finished(self) -> bool:
        """Whether the attempt is over: the call has ended, or its outcome is no person."""
        return not self.is_up or self.outcome not in (None, statuses.Outcome.HUMAN)

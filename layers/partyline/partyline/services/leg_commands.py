"""`LegCommand`: a command with all that a request to Telnyx about its leg needs."""

from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from partyline.domain.model.commands import Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.telnyx import client_state, errors, requests
from partyline.telnyx.webhooks import WEBHOOK_TYPES

WEBHOOK_RETRIES = requests.RetryPolicy(retries_ms=(500, 1500, 4000, 5000, 30_000))
"""Delays of Telnyx's retries of a webhook. Telnyx allows at most 5 retries within 60 s. The third
retry comes when a lease of 6 s has ended, the fourth when the lease of a start has ended."""


@dataclass(frozen=True)
class LegCommand:
    """A command with its conversation, participant and leg."""

    conversation: Conversation
    command: Command
    participant: Participant
    leg: Leg

    @property
    def call_control_id(self) -> str:
        """The call of the leg. The domain claims no command for a leg that lacks a call id."""
        return self.leg.call_control_id or ""

    @property
    def key_of_later_round(self) -> str | None:
        """The bearer key behind a call of a later round, which may follow days after the request.

        None for a call of the first round, and where no key asked for the person.
        """
        plan = self.participant.plan
        is_later = plan is not None and self.leg.number > len(plan.to)
        return self.participant.key_id if is_later else None

    @property
    def reserved_on(self) -> date | None:
        """The day (UTC) whose budget has the call's reservation; None without a budget."""
        reserves = self.conversation.limits.reserved_per_call is not None
        return self.leg.created_at.astimezone(UTC).date() if reserves else None

    @property
    def client_state(self) -> str:
        """The hint that Telnyx echoes on the webhooks of this leg."""
        command = self.command
        is_heard = command.action in client_state.PROMPTS
        state = client_state.ClientState(
            self.conversation.id,
            self.participant.id,
            self.leg.number,
            prompt=command.action if is_heard else None,
            repeat=command.repeats if is_heard else 0,
        )
        return state.encode()

    @property
    def envelope(self) -> dict[str, Any]:
        """The fields that every request about a leg has."""
        return {"command_id": self.command.id, "client_state": self.client_state}

    @property
    def webhooks(self) -> dict[str, Any]:
        """The URLs of this leg's webhooks: a URL for each type with a function, and the default."""
        if self.conversation.base_url is None:
            return {}
        default_url = f"{self.conversation.base_url}/webhooks"
        types = [name for name, webhook in WEBHOOK_TYPES.items() if webhook.has_function]
        return {
            "webhook_url": default_url,
            "webhook_urls": {name: (f"{default_url}/{name}",) for name in types},
            "webhook_retries_policies": dict.fromkeys(types, WEBHOOK_RETRIES),
        }


def code_and_message(error: errors.RefusedError) -> dict[str, Any]:
    """Return the code and the message of a refusal, as a result of the domain has both."""
    return {
        "code": error.code or str(error.status),
        "message": error.detail or error.title or f"Telnyx answered {error.status}.",
    }

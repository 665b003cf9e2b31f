"""The form of `webhook_urls` that Telnyx takes: lists of URLs, single URLs, fewer types, or none.

The description maps an event type to a list of URLs since August 2026 (client library 4.174), and
to a URL before. Which form the server takes is not known, and neither is whether
`call.conversation.*` may be keys. A wrong key fails the whole request (90057).
"""

import re
from collections.abc import Iterable
from typing import Any, Literal

from partyline.telnyx.errors import WebhookUrlsRefusedError

Form = Literal["list", "string", "none"]

BY_EVENT_TYPE = ("webhook_urls", "webhook_retries_policies")
"""The fields whose keys are event types."""

UNSURE_PREFIX = "call.conversation"
"""The event types that may be wrong as keys."""

STEPS: tuple[tuple[str, Form, bool], ...] = (
    ("list", "list", False),
    ("string", "string", False),
    ("list-of-calls", "list", True),
    ("string-of-calls", "string", True),
    ("none", "none", True),
)
"""The forms in the order in which they are tried: the name of the parameter TelnyxWebhookUrls, the
form, and whether unsure types are left out."""


class WebhookUrls:
    """The first form that Telnyx has not refused, remembered for the life of the process.

    `first` is the name of the form that is tried first; later forms follow after refusals.
    """

    def __init__(self, first: str = STEPS[0][0]) -> None:
        self.step = [name for name, _, _ in STEPS].index(first)
        self._refused_types: set[str] = set()

    @property
    def form(self) -> Form:
        """The form of the next request."""
        return STEPS[self.step][1]

    def shaped(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a request's body with `webhook_urls` in the form of the next request."""
        _, form, sure_only = STEPS[self.step]
        shaped = {name: value for name, value in body.items() if name not in BY_EVENT_TYPE}
        for field in BY_EVENT_TYPE:
            kept = {
                event_type: value
                for event_type, value in body.get(field, {}).items()
                if event_type not in self._refused_types
                and not (sure_only and event_type.startswith(UNSURE_PREFIX))
            }
            if form == "string" and field == "webhook_urls":
                kept = {event_type: urls[0] for event_type, urls in kept.items()}
            if kept and form != "none":
                shaped[field] = kept
        return shaped

    def note_refusal(self, error: WebhookUrlsRefusedError, body: dict[str, Any], step: int) -> None:
        """Choose the next form after the refusal of `body`, which was sent in the form of `step`.

        A refusal that names unsure types only is about these types. Any other refusal may be about
        the form, because validation may name the first type of a map in a wrong form.
        """
        sent = {event_type for field in BY_EVENT_TYPE for event_type in body.get(field, ())}
        named = _mentioned((problem.pointer for problem in error.problems), sent)
        named = named or _mentioned((problem.detail for problem in error.problems), sent)
        if named and all(event_type.startswith(UNSURE_PREFIX) for event_type in named):
            self._refused_types |= named
        else:  # other requests of this process may have been refused meanwhile
            self.step = max(self.step, min(step + 1, len(STEPS) - 1))


def _mentioned(texts: Iterable[str], sent: set[str]) -> set[str]:
    words = {word for text in texts for word in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", text)}
    return words & sent

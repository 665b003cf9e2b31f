"""The types of the list: unknown facts and their possible answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Confidence = Literal["documented", "conflicting", "observed", "unknown"]
"""How sure the assumed answer is.

- `documented`: Telnyx or AWS describes the fact, and no live call has confirmed the description
- `conflicting`: two official sources differ
- `observed`: other users of Telnyx have published the fact from live calls
- `unknown`: no source was found
"""


@dataclass(frozen=True)
class Answer:
    """A possible answer. `effect` is Partyline's behaviour under the answer.

    `settings` are the settings of the simulated Telnyx that plays the answer.
    """

    id: str
    meaning: str
    effect: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unknown:
    """A fact that no live call has confirmed.

    `assumed` is the id of the answer that the simulator plays by default. `evidence` tells a live
    test how to tell the answers apart. `sources` are URLs, documents and numbers of
    docs/decisions.md.
    """

    id: str
    question: str
    answers: tuple[Answer, ...]
    assumed: str
    confidence: Confidence
    sources: tuple[str, ...]
    evidence: str

    @property
    def is_played(self) -> bool:
        """Whether the simulator can play the answers."""
        return all(answer.settings for answer in self.answers)

    def answer(self, answer_id: str) -> Answer:
        """Return an answer by its id. Raises ValueError for an unknown id."""
        for answer in self.answers:
            if answer.id == answer_id:
                return answer
        known = ", ".join(answer.id for answer in self.answers)
        raise ValueError(f"{answer_id} is no answer to {self.id}; the answers are {known}.")

"""The user's actions in the room: on a phone, on the API, on the faults.

An action is plain data, so it can be recorded, saved and replayed: on the local stack in real time,
in a test with a virtual clock.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, field_validator
from pydantic_core import PydanticCustomError

from local.room.lambda_faults import LambdaFaults
from local.room.trouble import Trouble
from local.simulator.model import Person, SimulatedLeg
from local.simulator.telnyx import Simulator

Json = dict[str, Any]
OnOwn = Callable[[str, str, str], None]
"""Gets the call, `say` or `press`, and the words or digits of a person."""

Ask = Callable[[str, str, Any], Json]
"""Sends a request (method, path, body) to the API and returns the answer; raises for a refusal."""

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def _check_number(number: str) -> str:
    if not _NUMBER.fullmatch(number):
        raise PydanticCustomError(
            "number", "That is no phone number. Write it with its country code, as +13125550142."
        )
    return number


Number = Annotated[str, AfterValidator(_check_number)]


class Action(BaseModel):
    """Base: closed, so a misspelt field is an error."""

    model_config = ConfigDict(extra="forbid")


class UsePhone(Action):
    """Answer, decline or hang up a phone's latest call, or be busy."""

    do: Literal["answer", "decline", "busy", "hang_up"]
    phone: Number


class Press(Action):
    """Press digits on a phone."""

    do: Literal["press"]
    phone: Number
    digits: Annotated[str, Field(pattern=r"^[0-9*#]{1,32}$")]


class Say(Action):
    """Say a text into a phone."""

    do: Literal["say"]
    phone: Number
    text: Annotated[str, Field(min_length=1, max_length=500)]


class RingIn(Action):
    """Call Partyline's number from a phone."""

    do: Literal["ring_in"]
    phone: Number
    to: Number


class SetPerson(Action):
    """Set the person at a number and the person's behaviour."""

    do: Literal["person"]
    person: Person

    @field_validator("person")
    @classmethod
    def _has_a_number(cls, person: Person) -> Person:
        _check_number(person.number)
        return person


class SetTrouble(Action):
    """Replace the faults that are in force."""

    do: Literal["trouble"]
    trouble: Trouble


class ApiRequest(Action):
    """Send a request to the API.

    `#0` in the path is the story's first conversation, and after `participants/` that
    conversation's first participant.
    """

    do: Literal["api"]
    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: Any = None


AnyAction = Annotated[
    UsePhone | Press | Say | RingIn | SetPerson | SetTrouble | ApiRequest, Field(discriminator="do")
]
ACTION_ADAPTER: TypeAdapter[AnyAction] = TypeAdapter(AnyAction)


class ActionRefusedError(Exception):
    """An action is not possible now. The text is a sentence for the user."""


class ActionRunner:
    """Runs actions on a simulator, the functions' faults and the API."""

    def __init__(
        self,
        simulator: Simulator,
        lambda_faults: LambdaFaults,
        ask: Ask,
        on_own: OnOwn = lambda *_: None,
    ) -> None:
        self._simulator = simulator
        self._on_own = on_own
        self._lambda_faults = lambda_faults
        self._ask = ask
        self.seed = 0

    def perform(self, action: AnyAction, since: datetime) -> None:
        """Run an action; `since` is the story's start, for the numbers in a request's path.

        Raises ActionRefusedError, the simulator's ApiError, and the errors of `ask`.
        """
        match action:
            case RingIn():
                self._ring_in(action)
            case SetPerson():
                self._simulator.set_person(action.person)
            case SetTrouble():
                self.seed = action.trouble.seed
                action.trouble.apply(self._simulator, self._lambda_faults)
            case ApiRequest():
                self._ask(action.method, self.restore_ids(action.path, since), action.body)
            case Press():
                call = self._latest_call(action.phone)
                self._on_own(call, action.do, action.digits)
                self._simulator.press(call, action.digits)
            case Say():
                call = self._latest_call(action.phone)
                self._simulator.say(call, action.text)
                self._on_own(call, action.do, action.text)
            case UsePhone():
                getattr(self._simulator, action.do)(self._latest_call(action.phone))

    def conversations_since(self, since: datetime) -> list[Json]:
        """Return the API's conversations since the story's start, oldest first."""
        newest = self._ask("GET", "/conversations?limit=50", None)["conversations"]
        return sorted(
            (row for row in newest if datetime.fromisoformat(row["created_at"]) >= since),
            key=lambda row: str(row["created_at"]),
        )

    def replace_ids(self, path: str, since: datetime) -> str:
        """Replace the ids in a request's path with numbers such as `#0`, which every run has."""
        parts = path.split("/")
        for nth, conversation in enumerate(self.conversations_since(since)):
            if conversation["id"] in parts:
                people = [person["id"] for person in conversation["participants"]]
                parts = [f"#{people.index(part)}" if part in people else part for part in parts]
                parts[parts.index(conversation["id"])] = f"#{nth}"
        return "/".join(parts)

    def restore_ids(self, path: str, since: datetime) -> str:
        """Replace the numbers in a request's path with this run's ids."""
        match = re.fullmatch(r"/conversations/#(\d+)(.*)", path)
        if match is None:
            return path
        conversations = self.conversations_since(since)
        if int(match[1]) >= len(conversations):
            raise ActionRefusedError(f"There is no conversation {path} in this run.")
        conversation = conversations[int(match[1])]
        people = [person["id"] for person in conversation["participants"]]
        rest = re.sub(r"#(\d+)", lambda nth: people[int(nth[1])], match[2])
        return f"/conversations/{conversation['id']}{rest}"

    def _ring_in(self, action: RingIn) -> None:
        if action.phone == action.to:
            raise ActionRefusedError("Partyline cannot call its own number. Type another number.")
        with self._simulator.lock:
            if self._find_call(action.phone):
                raise ActionRefusedError(f"The phone {action.phone} is in a call already.")
            self._simulator.ring_in(action.phone, action.to)

    def _latest_call(self, number: str) -> str:
        if call := self._find_call(number):
            return call
        raise ActionRefusedError(f"The phone {number} is in no call.")

    def _find_call(self, number: str) -> str | None:
        legs: list[SimulatedLeg] = self._simulator.legs
        for leg in reversed(legs):
            if leg.person_number == number and leg.state != "ended":
                return leg.call_control_id
        return None

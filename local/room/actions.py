"""What a person does in the room: with a phone, with the API, with the switches.

An act is plain data, so that it can be written down, saved, and done again: on the local stack by
the clock on the wall, in a test by a virtual one.
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
Ask = Callable[[str, str, Any], Json]
"""Asks the API (method, path, body) and returns what it answers; raises for a refusal."""

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def _check_number(given: str) -> str:
    if not _NUMBER.fullmatch(given):
        raise PydanticCustomError(
            "number", "That is no phone number. Write it with its country code, as +13125550142."
        )
    return given


Number = Annotated[str, AfterValidator(_check_number)]


class Action(BaseModel):
    """Base: closed, so that a misspelt act is not silently another."""

    model_config = ConfigDict(extra="forbid")


class UsePhone(Action):
    """Something done with the newest call of a phone that is not over."""

    do: Literal["answer", "decline", "busy", "hang_up"]
    phone: Number


class Press(Action):
    """Digits pressed on a phone."""

    do: Literal["press"]
    phone: Number
    digits: Annotated[str, Field(pattern=r"^[0-9*#]{1,32}$")]


class Say(Action):
    """Something said into a phone."""

    do: Literal["say"]
    phone: Number
    text: Annotated[str, Field(min_length=1, max_length=500)]


class RingIn(Action):
    """Somebody calls one of our numbers."""

    do: Literal["ring_in"]
    phone: Number
    to: Number


class SetPerson(Action):
    """Somebody is at a number from now on, and behaves so."""

    do: Literal["person"]
    person: Person

    @field_validator("person")
    @classmethod
    def _has_a_number(cls, person: Person) -> Person:
        _check_number(person.number)
        return person


class SetTrouble(Action):
    """Trouble is put in force in place of whatever was."""

    do: Literal["trouble"]
    trouble: Trouble


class ApiRequest(Action):
    """The API is asked. `#0` in the path is the story's first conversation; after
    `participants/`, that conversation's first participant."""

    do: Literal["api"]
    method: Literal["POST", "DELETE"]
    path: str
    body: Any = None


AnyAction = Annotated[
    UsePhone | Press | Say | RingIn | SetPerson | SetTrouble | ApiRequest, Field(discriminator="do")
]
ACTION_ADAPTER: TypeAdapter[AnyAction] = TypeAdapter(AnyAction)


class ActionRefusedError(Exception):
    """There is no call for what was to be done; the text says so to a person."""


class ActionRunner:
    """Does acts in one world: a simulator, the perils of the functions, and the API."""

    def __init__(self, simulator: Simulator, perils: LambdaFaults, ask: Ask) -> None:
        """Keep the world."""
        self._simulator = simulator
        self._lambda_faults = perils
        self._ask = ask
        self.seed = 0

    def perform(self, action: AnyAction, since: datetime) -> None:
        """Do it; `since` is when the story began, for the numbers in a request's path.

        Raises NobodyThereError, the simulator's ApiError, and whatever asking the API raises.
        """
        match action:
            case RingIn():
                self._simulator.ring_in(action.phone, action.to)
            case SetPerson():
                self._simulator.set_person(action.person)
            case SetTrouble():
                self.seed = action.trouble.seed
                action.trouble.apply(self._simulator, self._lambda_faults)
            case ApiRequest():
                self._ask(action.method, self.restore_ids(action.path, since), action.body)
            case Press():
                self._simulator.press(self._latest_call(action.phone), action.digits)
            case Say():
                self._simulator.say(self._latest_call(action.phone), action.text)
            case UsePhone():
                getattr(self._simulator, action.do)(self._latest_call(action.phone))

    def conversations_since(self, since: datetime) -> list[Json]:
        """The conversations of a story, oldest first, as the API shows them."""
        found = self._ask("GET", "/conversations?limit=50", None)["conversations"]
        ours = [each for each in found if datetime.fromisoformat(each["created_at"]) >= since]
        return sorted(ours, key=lambda each: str(each["created_at"]))

    def replace_ids(self, path: str, since: datetime) -> str:
        """A request's path with `#0` in place of ids that only this one run has."""
        parts = path.split("/")
        for nth, conversation in enumerate(self.conversations_since(since)):
            if conversation["id"] in parts:
                people = [each["id"] for each in conversation["participants"]]
                parts = [f"#{people.index(each)}" if each in people else each for each in parts]
                parts[parts.index(conversation["id"])] = f"#{nth}"
        return "/".join(parts)

    def restore_ids(self, path: str, since: datetime) -> str:
        """The opposite: the ids that this run has."""
        found = re.fullmatch(r"/conversations/#(\d+)(.*)", path)
        if found is None:
            return path
        conversations = self.conversations_since(since)
        if int(found[1]) >= len(conversations):
            raise ActionRefusedError(f"There is no conversation {path} in this run.")
        conversation = conversations[int(found[1])]
        people = [each["id"] for each in conversation["participants"]]
        rest = re.sub(r"#(\d+)", lambda nth: people[int(nth[1])], found[2])
        return f"/conversations/{conversation['id']}{rest}"

    def _latest_call(self, number: str) -> str:
        legs: list[SimulatedLeg] = self._simulator.legs
        for leg in reversed(legs):
            if leg.person_number == number and leg.state != "ended":
                return leg.call_control_id
        raise ActionRefusedError(f"The phone {number} is in no call.")

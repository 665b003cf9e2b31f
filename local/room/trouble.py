"""The switches for trouble, as one document that is put in force as a whole."""

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from local.room.perils import Death, Perils
from local.simulator.delivery import DeliveryKnobs
from local.simulator.faults import Fault
from local.simulator.telnyx import Simulator


class Trouble(BaseModel):
    """What goes wrong: with webhooks by event type (or `*`), with Telnyx, with our functions.

    `seed` decides whatever is left to luck; to put trouble in force begins that luck anew.
    """

    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    webhooks: dict[str, DeliveryKnobs] = Field(default_factory=dict)
    telnyx: list[Fault] = Field(default_factory=list)
    functions: list[Death] = Field(default_factory=list)

    def put_in_force(self, simulator: Simulator, perils: Perils) -> None:
        """Replace whatever was in force by this."""
        with simulator.lock:
            simulator.reseed(self.seed)
            simulator.deliverer.knobs.clear()
            simulator.deliverer.knobs.update(self.webhooks)
            simulator.faults.active[:] = self.telnyx
        perils.reseed(self.seed)
        perils.deaths[:] = self.functions

    @classmethod
    def in_force(cls, seed: int, simulator: Simulator, perils: Perils) -> "Trouble":
        """What is in force now, with the times that are left of it."""
        with simulator.lock:
            return _COPY.validate_python(
                {
                    "seed": seed,
                    "webhooks": dict(simulator.deliverer.knobs),
                    "telnyx": list(simulator.faults.active),
                    "functions": list(perils.deaths),
                }
            )


_COPY = TypeAdapter(Trouble)

"""The switches for trouble, as one document that is put in force as a whole."""

from pydantic import BaseModel, ConfigDict, Field

from local.room.lambda_faults import Crash, LambdaFaults
from local.simulator.delivery import DeliverySettings
from local.simulator.faults import Fault
from local.simulator.telnyx import Simulator


class Trouble(BaseModel):
    """What goes wrong: with webhooks by event type (or `*`), with Telnyx, with our functions.

    `seed` decides whatever is left to luck; to put trouble in force begins that luck anew.
    """

    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    webhooks: dict[str, DeliverySettings] = Field(default_factory=dict)
    telnyx: list[Fault] = Field(default_factory=list)
    functions: list[Crash] = Field(default_factory=list)

    def apply(self, simulator: Simulator, lambda_faults: LambdaFaults) -> None:
        """Replace whatever was in force by this."""
        # A fault counts its times down; the document is to stay as it was given.
        own = self.model_copy(deep=True)
        with simulator.lock:
            simulator.reseed(own.seed)
            simulator.deliverer.knobs.clear()
            simulator.deliverer.knobs.update(own.webhooks)
            simulator.faults.active[:] = own.telnyx
        lambda_faults.reseed(own.seed)
        lambda_faults.crashes[:] = own.functions

    @classmethod
    def current(cls, seed: int, simulator: Simulator, lambda_faults: LambdaFaults) -> "Trouble":
        """What is in force now, with the times that are left of it."""
        with simulator.lock:
            return cls(
                seed=seed,
                webhooks=dict(simulator.deliverer.knobs),
                telnyx=list(simulator.faults.active),
                functions=list(lambda_faults.crashes),
            ).model_copy(deep=True)

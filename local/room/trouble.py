"""All injected faults, as a document that is applied as a whole."""

from pydantic import BaseModel, ConfigDict, Field

from local.room.lambda_faults import Crash, LambdaFaults
from local.simulator.delivery import DeliverySettings
from local.simulator.faults import Fault
from local.simulator.telnyx import Simulator


class Trouble(BaseModel):
    """The faults of webhooks by event type (or `*`), of Telnyx, and of our functions.

    `seed` starts the random numbers of the faults; `apply` restarts the random numbers.
    """

    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    webhooks: dict[str, DeliverySettings] = Field(default_factory=dict)
    telnyx: list[Fault] = Field(default_factory=list)
    functions: list[Crash] = Field(default_factory=list)

    def apply(self, simulator: Simulator, lambda_faults: LambdaFaults) -> None:
        """Replace the faults that are in force."""
        # A fault in force counts its times down; this document stays unchanged.
        own = self.model_copy(deep=True)
        with simulator.lock:
            simulator.reseed(own.seed)
            simulator.deliverer.settings.clear()
            simulator.deliverer.settings.update(own.webhooks)
            simulator.faults.active[:] = own.telnyx
        lambda_faults.reseed(own.seed)
        lambda_faults.crashes[:] = own.functions

    @classmethod
    def current(cls, seed: int, simulator: Simulator, lambda_faults: LambdaFaults) -> "Trouble":
        """Return the faults in force, with the times that are left."""
        with simulator.lock:
            return cls(
                seed=seed,
                webhooks=dict(simulator.deliverer.settings),
                telnyx=list(simulator.faults.active),
                functions=list(lambda_faults.crashes),
            ).model_copy(deep=True)

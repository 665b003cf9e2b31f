"""A CloudFormation stack, and the secrets of the stack.

The AWS account is the one in the settings of the AWS SDK, as for `sam deploy`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

POLL_SECS = 5.0
_PATIENCE_SECS = 3600.0

_NEVER_CREATED = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
"""The states after a failed creation. CloudFormation cannot update a stack in such a state."""

_NEEDS_A_PERSON = {
    "UPDATE_ROLLBACK_FAILED": "continue the rollback in the AWS console under CloudFormation",
    "DELETE_FAILED": "run `partyline down` again",
}


class StackError(Exception):
    """The stack is in a state in which no deployment is possible. The text is for the user."""


@dataclass(frozen=True)
class StackState:
    """A stack as CloudFormation describes the stack."""

    stack_id: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_deployed(self) -> bool:
        """Whether the last deployment of the stack succeeded."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    @property
    def is_moving(self) -> bool:
        """Whether CloudFormation is working on the stack. A stack in review waits for a person."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def output(self, name: str) -> str:
        """Return an output. Raises StackError for a missing output."""
        try:
            return self.outputs[name]
        except KeyError:
            raise StackError(f"The stack has no output {name}: is it Partyline's?") from None


class Stack:
    """The stack called `name`. `client` makes a client of an AWS service."""

    def __init__(
        self,
        name: str,
        client: Callable[[str], Any],
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._client = client
        self._say = say
        self._sleep = sleep

    def account(self) -> str:
        """Return the AWS account and the region."""
        sts = self._client("sts")
        account: str = sts.get_caller_identity()["Account"]
        return f"{account} in {sts.meta.region_name}"

    def read(self, stack_id: str | None = None) -> StackState | None:
        """Return the state of the stack, or None if the stack does not exist."""
        cloudformation = self._client("cloudformation")
        try:
            [stack] = cloudformation.describe_stacks(StackName=stack_id or self.name)["Stacks"]
        except cloudformation.exceptions.ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        return StackState(
            stack_id=stack["StackId"],
            status=stack["StackStatus"],
            parameters={
                parameter["ParameterKey"]: parameter["ParameterValue"]
                for parameter in stack.get("Parameters", ())
            },
            outputs={
                output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())
            },
        )

    def settle(self) -> StackState | None:
        """Return the state when no work on the stack is going on, without a failed creation.

        Removes a stack whose creation failed. Raises StackError for a stack that a person has to
        repair.
        """
        state = self._wait(self.read())
        if state is None or state.status == "DELETE_COMPLETE":
            return None
        if state.status in _NEVER_CREATED:
            self._say(f"Removing the stack {self.name}, whose creation failed ({state.status}).")
            self._remove(state)
            return None
        remedy = _NEEDS_A_PERSON.get(state.status)
        if remedy:
            raise StackError(f"The stack {self.name} is in the state {state.status}: {remedy}.")
        return state

    def delete(self) -> bool:
        """Delete the stack and wait for the end. Returns False if the stack did not exist.

        Raises StackError when a resource could not be deleted.
        """
        state = self._wait(self.read())
        if state is None or state.status == "DELETE_COMPLETE":
            return False
        self._remove(state)
        return True

    def secret(self, state: StackState, output: str) -> str:
        """Return the value of the secret that an output names."""
        secrets = self._client("secretsmanager")
        value: str = secrets.get_secret_value(SecretId=state.output(output))["SecretString"]
        return value

    def put_secret(self, state: StackState, output: str, value: str) -> None:
        """Set the value of the secret that an output names."""
        secrets = self._client("secretsmanager")
        secrets.put_secret_value(SecretId=state.output(output), SecretString=value)

    def _remove(self, state: StackState) -> None:
        self._client("cloudformation").delete_stack(StackName=state.stack_id)
        left = self._wait(self.read(state.stack_id))
        if left is not None and left.status != "DELETE_COMPLETE":
            raise StackError(
                f"CloudFormation did not delete the stack {self.name} ({left.status}): its events "
                "in the AWS console name the resource."
            )

    def _wait(self, state: StackState | None) -> StackState | None:
        """Wait while CloudFormation works on the stack. Returns the state then."""
        if state is None or not state.is_moving:
            return state
        self._say(f"Waiting for the stack {self.name} ({state.status}).")
        waited = 0.0
        while state is not None and state.is_moving:
            if waited > _PATIENCE_SECS:
                raise StackError(f"The stack {self.name} has been {state.status} for an hour.")
            self._sleep(POLL_SECS)
            waited += POLL_SECS
            state = self.read(state.stack_id)
        return state

"""A secret in Secrets Manager: read when it is needed, kept for a while, never shown."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider


class SecretMissingError(Exception):
    """A secret lacks what it should hold. Names the secret, never its value."""


class SecretUnreadableError(Exception):
    """A secret cannot be read now. Names the secret."""


class Secret:
    """A secret whose value is a JSON object.

    A value is kept for `max_age_secs`, so that a rotated one is used without a deployment.
    """

    def __init__(self, secret_id: str, client: Callable[[], Any], max_age_secs: int) -> None:
        """Keep the name and how to make a Secrets Manager client; nothing is read yet."""
        self.name = secret_id
        self._client = client
        self._max_age_secs = max_age_secs
        self._provider: SecretsProvider | None = None

    def document(self, *, fresh: bool = False) -> dict[str, Any]:
        """The value; `fresh` reads it again however young it is.

        Raises SecretMissing and SecretUnreadable.
        """
        from aws_lambda_powertools.utilities.parameters import SecretsProvider
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        if self._provider is None:
            self._provider = SecretsProvider(boto3_client=self._client())
        try:
            text = self._provider.get(self.name, max_age=self._max_age_secs, force_fetch=fresh)
        except GetParameterError:
            raise SecretUnreadableError(f"secret {self.name} cannot be read") from None
        try:
            value = json.loads(str(text))
        except ValueError:
            raise SecretMissingError(f"secret {self.name} is not JSON") from None
        if not isinstance(value, dict):
            raise SecretMissingError(f"secret {self.name} is not a JSON object")
        return value

    def field(self, name: str, *, fresh: bool = False) -> str:
        """One text of it. Raises SecretUnreadable, and SecretMissing for an empty one too."""
        value = self.document(fresh=fresh).get(name)
        if not isinstance(value, str) or not value:
            raise SecretMissingError(f"secret {self.name} has no {name}")
        return value

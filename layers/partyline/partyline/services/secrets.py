"""Secrets in Secrets Manager: read at first use, cached for a while, never logged."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from partyline.aws_errors import aws_error


class SecretMissingError(Exception):
    """A secret does not hold the value. The message names the secret."""


class SecretUnreadableError(Exception):
    """A secret cannot be read now. The message names the secret."""


class Secret:
    """A secret whose value is a JSON object.

    A value is cached for `max_age_secs`, so that a rotated value is used without a deployment.
    """

    def __init__(self, secret_id: str, client: Callable[[], Any], max_age_secs: int) -> None:
        self.name = secret_id
        self._client = client
        self._max_age_secs = max_age_secs
        self._provider: Any = None  # built at first use

    def document(self, *, fresh: bool = False) -> dict[str, Any]:
        """The value; `fresh` ignores the cache.

        Raises `SecretMissingError` and `SecretUnreadableError`.
        """
        from aws_lambda_powertools.utilities.parameters import SecretsProvider
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        if self._provider is None:
            self._provider = SecretsProvider(boto3_client=self._client())
        try:
            text = self._provider.get(self.name, max_age=self._max_age_secs, force_fetch=fresh)
        except GetParameterError as error:
            if isinstance(error.__context__, BotoCoreError | ClientError):
                # Logs and counts a refusal, such as a missing permission.
                aws_error(error.__context__, "secretsmanager", "get_secret_value")
            raise SecretUnreadableError(f"secret {self.name} cannot be read") from None
        try:
            value = json.loads(str(text))
        except ValueError:
            raise SecretMissingError(f"secret {self.name} is not JSON") from None
        if not isinstance(value, dict):
            raise SecretMissingError(f"secret {self.name} is not a JSON object")
        return value

    def field(self, name: str, *, fresh: bool = False) -> str:
        """A text in the value.

        Raises `SecretUnreadableError`, and `SecretMissingError` for a missing or empty text.
        """
        value = self.document(fresh=fresh).get(name)
        if not isinstance(value, str) or not value:
            raise SecretMissingError(f"secret {self.name} has no {name}")
        return value

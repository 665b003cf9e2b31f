"""`partyline revoke`: delete a bearer key from the secret of a deployed stack.

The AWS account is the one in the settings of the AWS SDK, as for `sam deploy`. The command needs
the rights to read the stack's outputs, and to read and write the secret of the bearer keys.
"""

import json
from typing import Any

from local.deploy.aws import aws_client
from local.deploy.redrive import outputs_of


class KeyNotFoundError(Exception):
    """No entry of the secret has the id, or the secret is malformed."""


def revoke(key_id: str, stack: str, client: Any = aws_client) -> list[str]:
    """Delete each entry with this id from the secret; return the ids of the other entries.

    `client` makes a client of an AWS service. Raises NoSuchStackError, KeyNotFoundError and the
    AWS SDK's errors.
    """
    name = outputs_of(client("cloudformation"), stack)["BearerKeysSecretName"]
    secrets = client("secretsmanager")
    text = secrets.get_secret_value(SecretId=name)["SecretString"]
    try:
        document = json.loads(text)
        entries = list(document["keys"])
    except (ValueError, LookupError, TypeError):
        raise KeyNotFoundError(f"the secret {name} is not a list of keys") from None
    kept = [entry for entry in entries if _id_of(entry) != key_id]
    if len(kept) == len(entries):
        raise KeyNotFoundError(f"the secret {name} has no key {key_id}")
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({**document, "keys": kept}))
    return list(filter(None, map(_id_of, kept)))


def _id_of(entry: Any) -> str | None:
    """Return the id of an entry; None for a malformed entry, which the authorizer skips."""
    key_id = entry.get("id") if isinstance(entry, dict) else None
    return key_id if isinstance(key_id, str) else None

"""Signatures of webhooks with an Ed25519 key, as Telnyx makes them."""

import base64
import time
from pathlib import Path

from nacl.signing import SigningKey

from local.simulator.settings import PUBLISHED_TEST_SEED

_SEED_BYTES = 32


class Signer:
    """Signs webhooks with the key of a seed of 32 bytes; by default the published test key."""

    def __init__(self, seed: bytes = PUBLISHED_TEST_SEED) -> None:
        self._key = SigningKey(seed)

    @property
    def public_key(self) -> str:
        """The public key in base64, for receivers that verify signatures."""
        return base64.b64encode(bytes(self._key.verify_key)).decode()

    def headers(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """Return Telnyx's headers for `body`, signed at `at` (seconds since 1970) or now."""
        timestamp = str(int(time.time() if at is None else at))
        signature = self._key.sign(timestamp.encode() + b"|" + body).signature
        return {
            "content-type": "application/json",
            "user-agent": "telnyx-webhooks",
            "telnyx-timestamp": timestamp,
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        }


def read_seed(path: Path) -> bytes:
    """Read a key's seed, in base64, from a file. Raises ValueError for an unusable file."""
    try:
        seed = base64.b64decode(path.read_text().strip(), validate=True)
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from error
    except ValueError:
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise ValueError(f"{path} does not hold the base64 seed of an Ed25519 key, 32 bytes.")
    return seed

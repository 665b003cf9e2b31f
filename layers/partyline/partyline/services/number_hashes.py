"""Keyed hashes of phone numbers: an index that nobody without the key can search for a number.

There are few phone numbers, so a plain hash would be found by trying all of them.
"""

import hmac
from collections.abc import Iterable
from hashlib import sha256

from partyline.domain.dial_policy import Destinations
from partyline.services.secrets import Secret


class NumberHashes:
    """The hashes by the key in the secret `NumberKey`. `destinations` read the spellings.

    Methods raise `SecretMissingError` and `SecretUnreadableError`.
    """

    def __init__(self, secret: Secret, destinations: Destinations) -> None:
        self._secret = secret
        self._destinations = destinations

    def of(self, number: str) -> str:
        """Return the hash of a number in E.164."""
        key = self._secret.field("key").encode()
        return hmac.new(key, number.encode(), sha256).hexdigest()

    def of_all(self, texts: Iterable[str]) -> set[str]:
        """Return the hashes of the numbers in numbers, SIP addresses and numbers with digits.

        A text without a number (a SIP name, `anonymous`) has no hash.
        """
        numbers = set(map(self.rung, texts))
        return {self.of(number) for number in numbers if number}

    def rung(self, text: str) -> str | None:
        """Return the number that a text rings, in E.164; None for a text without a number."""
        return self._destinations.number_rung(text)

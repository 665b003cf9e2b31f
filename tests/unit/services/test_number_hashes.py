"""The hashes of numbers."""

from types import SimpleNamespace
from typing import Any

from partyline.domain.dial_policy import Destinations
from partyline.services.number_hashes import NumberHashes
from tests.support.people import DANA


def hash_with(key: str) -> str:
    secret: Any = SimpleNamespace(field=lambda _name: key)
    return NumberHashes(secret, Destinations(())).of(DANA)


def test_a_number_has_another_hash_with_another_key() -> None:
    assert hash_with("a") == hash_with("a")
    assert hash_with("a") != hash_with("b")

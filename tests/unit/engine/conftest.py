"""The engine is tested on the same table as the entrypoints."""

from tests.unit.entrypoints.conftest import client, embedded, world

__all__ = ["client", "embedded", "world"]

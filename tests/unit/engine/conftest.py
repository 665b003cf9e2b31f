"""The engine is tested on the same table as the entrypoints."""

from tests.unit.entrypoints.conftest import client, deployment, embedded

__all__ = ["client", "deployment", "embedded"]

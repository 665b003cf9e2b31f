"""The engine is tested on the same table as the entrypoints."""

from tests.unit.entrypoints.conftest import deployment

__all__ = ["deployment"]

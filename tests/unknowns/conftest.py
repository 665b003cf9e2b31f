"""Silence the logger during the runs of the matrix."""

from tests.faults.conftest import unlogged

__all__ = ["unlogged"]

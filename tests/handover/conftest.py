"""Silence the logger during the cells of the grid."""

from tests.faults.conftest import unlogged

__all__ = ["unlogged"]

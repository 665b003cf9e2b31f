"""Silence the logger and restore the environment around the cells of the grid."""

from tests.faults.conftest import own_process

__all__ = ["own_process"]

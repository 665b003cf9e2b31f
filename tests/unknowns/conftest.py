"""Silence the logger and restore the environment around the runs of the matrix."""

from tests.faults.conftest import own_process

__all__ = ["own_process"]

"""Silence the logger and restore the environment around the histories."""

from tests.faults.conftest import own_process

__all__ = ["own_process"]

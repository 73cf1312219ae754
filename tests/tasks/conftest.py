"""The tasks run on a lab of the lab tests' making."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.lab import labs
from tests.lab.conftest import host, new_lab

__all__ = ["host", "lab", "new_lab"]


@pytest.fixture(scope="session")
def lab(new_lab: Callable[[], labs.Lab]) -> labs.Lab:
    """A lab with nothing but its gateway."""
    made = new_lab()
    made.bookmesh("up")
    return made

"""The tasks run on a lab of the lab tests' making."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.lab import labs
from tests.lab.conftest import host, new_lab

__all__ = ["host", "lab", "new_lab"]


@pytest.fixture(scope="session")
def lab(new_lab: Callable[[], labs.Lab]) -> labs.Lab:
    """A lab as people have it: with Bookinfo in it, whose Gateway answers for every host."""
    made = new_lab()
    made.bookmesh("up", "--bookinfo")
    return made

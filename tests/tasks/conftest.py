"""The tasks run on a lab of the lab tests' making."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.lab import labs
from tests.lab.conftest import host, lab_numbers, lasting_lab

__all__ = ["host", "lab", "lab_numbers", "lasting_lab"]


@pytest.fixture(scope="session")
def lab(lasting_lab: Callable[[], labs.Lab]) -> labs.Lab:
    """A lab as people have it: with Bookinfo in it, whose Gateway answers for every host."""
    made = lasting_lab()
    made.bookmesh("up", "--bookinfo")
    return made

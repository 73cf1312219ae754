"""Labs for the tests: one that most tests share, and fresh ones for those that end or break theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.lab import labs

from bookmesh.kube.sandbox import requirements


@pytest.fixture(scope="session")
def host() -> None:
    """Skip where the host does not let anybody run a lab."""
    problems = [problem.render() for problem in requirements.check_host() if problem.severity == "error"]
    if problems:
        pytest.skip("\n".join(problems))


@pytest.fixture(scope="session")
def lab_numbers() -> set[int]:
    """The numbers of the labs that were made; those of one run have different ones."""
    return set()


@pytest.fixture(scope="session")
def lasting_lab(
    host: None, tmp_path_factory: pytest.TempPathFactory, lab_numbers: set[int]
) -> Iterator[Callable[[], labs.Lab]]:
    """Make labs that are not up yet; all are ended with the session."""
    yield from _making(tmp_path_factory, lab_numbers)


@pytest.fixture(scope="module")
def new_lab(
    host: None, tmp_path_factory: pytest.TempPathFactory, lab_numbers: set[int]
) -> Iterator[Callable[[], labs.Lab]]:
    """Make labs that are not up yet; all are ended with the file: an ordinary user has only so many pipes."""
    yield from _making(tmp_path_factory, lab_numbers)


def _making(tmp_path_factory: pytest.TempPathFactory, numbers: set[int]) -> Iterator[labs.Maker]:
    make = labs.Maker(tmp_path_factory.mktemp("bookmesh-home"), numbers)
    yield make
    for lab in make.made:
        lab.bookmesh("down", check=False)


@pytest.fixture(scope="session")
def bookinfo(lasting_lab: Callable[[], labs.Lab]) -> labs.Lab:
    """The shared lab, with Bookinfo in namespace default; tests set the routes they need."""
    lab = lasting_lab()
    lab.bookmesh("up", "--bookinfo")
    return lab

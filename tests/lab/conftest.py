"""Labs for the tests: one that most tests share, and fresh ones for those that end or break theirs."""

from __future__ import annotations

import uuid
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
def new_lab(host: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], labs.Lab]]:
    """Make labs that are not up yet; all are ended with the session."""
    home = tmp_path_factory.mktemp("bookmesh-home")
    made: list[labs.Lab] = []

    def make() -> labs.Lab:
        made.append(labs.Lab(f"test-{uuid.uuid4().hex[:8]}", home))
        return made[-1]

    yield make
    for lab in made:
        lab.bookmesh("down", check=False)


@pytest.fixture(scope="session")
def bookinfo(new_lab: Callable[[], labs.Lab]) -> labs.Lab:
    """The shared lab, with Bookinfo in namespace default; tests set the routes they need."""
    lab = new_lab()
    lab.bookmesh("up", "--bookinfo")
    return lab

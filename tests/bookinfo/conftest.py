"""
What the contract suite runs against: services of ours that it starts itself, or any that are named.

    pytest tests/bookinfo                                     ours, started on free ports
    pytest tests/bookinfo --url http://127.0.0.1:9080 \\
        --details-url http://… --ratings-url http://… --reviews-url http://… (may be repeated, one a version)

Of services that are not ours, what Istio's tests and documentation rely on is checked; guarantees that only we give are
skipped.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.bookinfo import asking, processes

GOLDEN = Path(__file__).parents[1] / "golden" / "bookinfo"
REVIEWS = ("v1", "v2", "v3")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bookinfo", "services to check in tests/bookinfo, in place of those it starts")
    group.addoption("--url", default=None, help="base URL of productpage")
    group.addoption("--details-url", default=None, help="base URL of details")
    group.addoption("--ratings-url", default=None, help="base URL of ratings")
    group.addoption("--reviews-url", action="append", default=None, help="base URL of a version of reviews")


@dataclass(frozen=True)
class Deployment:
    """Base URLs; None where a service was not named."""

    page: str | None
    details: str | None
    ratings: str | None
    reviews: dict[str, str]
    """By version."""
    is_ours: bool


@pytest.fixture(scope="session")
def deployment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    def option(name: str) -> Any:
        return request.config.getoption(name, None)

    page, details, ratings = option("--url"), option("--details-url"), option("--ratings-url")
    reviews = option("--reviews-url") or []
    if page or details or ratings or reviews:
        urls = [url for url in (page, details, ratings, *reviews) if url]
        yield Deployment(
            page=page and page.rstrip("/"),
            details=details and details.rstrip("/"),
            ratings=ratings and ratings.rstrip("/"),
            reviews={version_of(url.rstrip("/")): url.rstrip("/") for url in reviews},
            is_ours=all(asking.ask(url.rstrip("/"), "/livez").body == b"alive" for url in urls),
        )
        return
    with ExitStack() as stack:
        yield start_all(stack, tmp_path_factory.mktemp("services"))


def start_all(stack: ExitStack, directory: Path) -> Deployment:
    """Start each service, reviews in its three versions; productpage asks the third."""

    def start(service: str, label: str, **variables: str) -> processes.Process:
        process = processes.Process(directory, service, label, variables)
        stack.callback(process.stop)
        return process

    ratings = start("ratings", "ratings-v1", SERVICE_VERSION="v1")
    details = start("details", "details-v1", SERVICE_VERSION="v1")
    to_ratings = processes.wiring(ratings=ratings.url)
    reviews = {
        version: start("reviews", f"reviews-{version}", SERVICE_VERSION=version, **to_ratings)
        for version in REVIEWS
    }
    wires = processes.wiring(details=details.url, reviews=reviews["v3"].url, ratings=ratings.url)
    page = start("productpage", "productpage-v1", SERVICE_VERSION="v1", **wires)
    return Deployment(
        page=page.url,
        details=details.url,
        ratings=ratings.url,
        reviews={version: process.url for version, process in reviews.items()},
        is_ours=True,
    )


def version_of(url: str) -> str:
    """Tell the version of reviews by its stars."""
    first = asking.ask(url, "/reviews/0").json["reviews"][0]
    return {None: "v1", "black": "v2", "red": "v3"}[first.get("rating", {}).get("color")]


@pytest.fixture
def page(deployment: Deployment) -> str:
    return deployment.page or pytest.skip("productpage is not named: --url")


@pytest.fixture
def details(deployment: Deployment) -> str:
    return deployment.details or pytest.skip("details is not named: --details-url")


@pytest.fixture
def ratings(deployment: Deployment) -> str:
    return deployment.ratings or pytest.skip("ratings is not named: --ratings-url")


@pytest.fixture(params=REVIEWS)
def reviews_version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def reviews(deployment: Deployment, reviews_version: str) -> str:
    """Each version in turn."""
    url = deployment.reviews.get(reviews_version)
    return url or pytest.skip(f"reviews {reviews_version} is not named: --reviews-url")


@pytest.fixture
def ours(deployment: Deployment) -> None:
    """For what only our services promise."""
    if not deployment.is_ours:
        pytest.skip("a guarantee of Bookmesh's own services, and these are others")


@pytest.fixture
def golden(deployment: Deployment, update_golden: bool) -> Callable[[str, Any], None]:
    """Compare JSON with `tests/golden/bookinfo/NAME.out.json`: ours to the letter, others' by keys and types."""

    def compare(name: str, value: Any) -> None:
        path = GOLDEN / f"{name}.out.json"
        if update_golden:
            path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        expected = json.loads(path.read_text())
        if deployment.is_ours:
            assert value == expected
            assert json.dumps(value) == json.dumps(expected), "members in another order"
        else:
            assert shape(value) == shape(expected)

    return compare


def shape(value: Any) -> Any:
    """Replace all values by their types; a list is what its members look like."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    return type(value).__name__


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., processes.Process]]:
    """Start a service of ours for one test: its name, and environment variables as keyword arguments."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def start_one(service: str, **variables: str) -> processes.Process:
            label = f"{variables.get('HOSTNAME', service)}-{next(numbers)}"
            process = processes.Process(tmp_path, service, label, variables)
            stack.callback(process.stop)
            return process

        yield start_one


@pytest.fixture
def neighbour() -> Iterator[processes.Neighbour]:
    with processes.neighbour() as made_up:
        yield made_up

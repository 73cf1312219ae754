"""Ratings v2 in front of real database servers. Which ones: `databases.KINDS`; MongoDB only where there is a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.bookinfo import asking, databases, processes

DEADLINE_S = 30.0
AWAY = (500, {"error": "could not connect to ratings database"})
PATIENT = {"RATINGS_DB_TIMEOUT_S": "12"}
"""A busy machine may take longer than the 2 s of who sets nothing; a test that is about the time sets its own."""


class Ratings:
    """The service in front of a database."""

    def __init__(self, process: processes.Process) -> None:
        self.process = process

    def ask(self, path: str, *, body: str | None = None) -> tuple[int, Any]:
        """Return status and body, decoded where it is JSON; GET without a body, POST with one."""
        method = "GET" if body is None else "POST"
        answer = asking.ask(self.process.url, path, method=method, body=body)
        return answer.status, answer.json if answer.media_type == "application/json" else answer.text

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while (seen := self.ask("/readyz")) != (200, "ready"):
            assert time.monotonic() < deadline, seen
            time.sleep(0.05)


StartRatings = Callable[..., Ratings]


@pytest.fixture
def ratings(server: databases.Server, start: Callable[..., processes.Process]) -> StartRatings:
    """Start ratings with the server as its database; further variables as keyword arguments."""

    def start_ratings(**variables: str) -> Ratings:
        return Ratings(start("ratings", **{**PATIENT, **server.env, **variables}))

    return start_ratings


class LeftOut:
    """Says at the end of a run that a database was not tried; its tests do not exist then, so none is skipped."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"ratings were not tried with MongoDB: {self._reason}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Collect each test for the databases that it is meant for and that can be had."""
    if "server" not in metafunc.fixturenames:
        return
    wanted: Collection[str] = getattr(metafunc.function, "kinds", databases.KINDS)
    kinds = [kind for kind in databases.kinds_to_try() if kind in wanted]
    metafunc.parametrize("server", kinds, indirect=True, scope="module")
    plugins = metafunc.config.pluginmanager
    has_mongodb = any(kind.startswith("mongodb") for kind in databases.kinds_to_try())
    if not has_mongodb and not plugins.has_plugin(LeftOut.__name__):
        plugins.register(LeftOut(databases.NO_MONGODB), LeftOut.__name__)


def only(*kinds: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Say which databases a test is meant for."""

    def remember(function: Callable[..., None]) -> Callable[..., None]:
        vars(function)["kinds"] = kinds
        return function

    return remember


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[databases.Server]:
    with databases.opened(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_at_first(server: databases.Server) -> None:
    """Undo what the test before has done. These are not the ratings that the service has in memory."""
    server.start()
    server.set_ratings(3, 1)


def stars(first: int, second: int) -> tuple[int, object]:
    return 200, {"id": 7, "ratings": {"Reviewer1": first, "Reviewer2": second}}


def test_ratings_are_those_of_the_database_at_this_moment(
    server: databases.Server, ratings: StartRatings
) -> None:
    service = ratings()
    assert service.ask("/ratings/7") == stars(3, 1)
    server.set_ratings(2, 5)
    assert service.ask("/ratings/7") == stars(2, 5)
    assert service.ask("/readyz") == (200, "ready")


def test_rating_that_is_not_there_is_no_star(server: databases.Server, ratings: StartRatings) -> None:
    service = ratings()
    server.set_ratings(4)
    assert service.ask("/ratings/7") == stars(4, 0)
    server.set_ratings(None, 2)
    assert service.ask("/ratings/7") == stars(0, 2)
    server.set_ratings()
    assert service.ask("/ratings/7") == stars(0, 0)


def test_ratings_cannot_be_posted(server: databases.Server, ratings: StartRatings) -> None:
    service = ratings()
    refusal = {"error": "Post not implemented for database backed ratings"}
    assert service.ask("/ratings/7", body='{"Reviewer1": 5}') == (501, refusal)
    status, answer = service.ask("/ratings/7", body="{")
    assert (status, answer["error"]) == (400, "please provide valid ratings JSON")
    assert service.ask("/ratings/7") == stars(3, 1)


def test_service_ends_in_order_with_its_connections_open(
    server: databases.Server, ratings: StartRatings
) -> None:
    service = ratings()
    assert service.ask("/ratings/7") == stars(3, 1)
    assert service.process.stop() == 0
    assert [line["level"] for line in service.process.log_lines() if line["level"] != "info"] == []


@only("mariadb", "postgresql", "mongodb")
def test_service_starts_without_its_database_and_serves_when_it_comes(
    server: databases.Server, ratings: StartRatings
) -> None:
    server.stop()
    service = ratings(RATINGS_DB_TIMEOUT_S="4")
    assert service.ask("/ratings/7") == AWAY
    assert service.ask("/readyz") == (503, "could not connect to ratings database")
    assert service.ask("/livez")[0] == service.ask("/health")[0] == 200
    server.start()
    service.wait_until_ready()
    assert service.ask("/ratings/7") == stars(3, 1)


@only("mariadb", "postgresql", "sqlite", "mongodb")
def test_service_recovers_when_its_database_was_away(server: databases.Server, ratings: StartRatings) -> None:
    service = ratings(RATINGS_DB_TIMEOUT_S="4")
    assert service.ask("/ratings/7") == stars(3, 1)
    server.stop()
    assert service.ask("/ratings/7") == AWAY
    assert service.ask("/readyz")[0] == 503
    server.start()
    service.wait_until_ready()
    assert service.ask("/ratings/7") == stars(3, 1)


@only("mariadb", "postgresql", "sqlite")
def test_missing_table_is_reported_and_its_return_noticed(
    server: databases.SqlServer, ratings: StartRatings
) -> None:
    service = ratings()
    assert service.ask("/ratings/7") == stars(3, 1)
    server.drop_table()
    assert service.ask("/ratings/7") == (500, {"error": "could not perform select"})
    assert service.ask("/readyz") == (503, "could not perform select")
    server.set_ratings(5, 5)
    assert service.ask("/ratings/7") == stars(5, 5)


@only("mariadb", "postgresql", "sqlite")
def test_table_that_is_locked_costs_the_time_limit_and_no_connection(
    server: databases.SqlServer, ratings: StartRatings
) -> None:
    service = ratings(RATINGS_DB_TIMEOUT_S="3", RATINGS_DB_CONNECTIONS="2")
    assert service.ask("/ratings/7") == stars(3, 1)
    with server.locked(), ThreadPoolExecutor(3) as people:
        assert [status for status, _ in people.map(service.ask, ["/ratings/7"] * 3)] == [500] * 3
    why = "database is locked" if isinstance(server, databases.SqliteFile) else "no answer within 3 s"
    assert why in str(service.process.log_lines())
    assert service.ask("/ratings/7") == stars(3, 1)


@only("mariadb", "postgresql")
def test_many_requests_share_few_connections(
    server: databases.MariaDb | databases.PostgreSql, ratings: StartRatings
) -> None:
    service = ratings(RATINGS_DB_CONNECTIONS="2")
    with ThreadPoolExecutor(16) as people:
        assert set(people.map(lambda _: service.ask("/ratings/7")[0], range(160))) == {200}
    assert 1 <= server.connections() <= 2


@only("mariadb", "postgresql")
def test_wrong_password_is_told_to_the_log_but_not_shown(
    server: databases.SqlServer, ratings: StartRatings
) -> None:
    wrong = {name: value.replace("word", "wort") for name, value in server.env.items()}
    service = ratings(**wrong)
    assert service.ask("/ratings/7") == AWAY
    log = str(service.process.log_lines())
    assert "bookinfo" in log
    assert "wort" not in log


@pytest.mark.slow  # measures a time limit under load of its own: wants a machine with nothing else to do
@only("mariadb", "postgresql")
def test_hanging_database_costs_the_time_limit_and_is_found_again(
    server: databases.MariaDb | databases.PostgreSql, ratings: StartRatings
) -> None:
    service = ratings(RATINGS_DB_TIMEOUT_S="0.5", RATINGS_DB_CONNECTIONS="4")
    assert service.ask("/ratings/7") == stars(3, 1)
    with server.hanging():
        for _ in range(2):
            began = time.monotonic()
            with ThreadPoolExecutor(16) as people:
                answers = list(people.map(lambda _: service.ask("/ratings/7"), range(16)))
            assert answers == [AWAY] * 16
            assert time.monotonic() - began < 3
    service.wait_until_ready()
    assert service.ask("/ratings/7") == stars(3, 1)
    assert "no answer within 0.5 s" in str(service.process.log_lines())

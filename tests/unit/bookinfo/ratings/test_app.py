from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import aiohttp
import pytest

from bookinfo.ratings import app, database, faults, memory, store
from bookinfo.service import health
from bookinfo.service import settings as service_settings
from bookinfo.service.requests import Request


async def test_product_nobody_rated_has_the_ratings_of_the_sample(
    start_named: Any, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(await start_named("ratings") + "/ratings/7")
    assert answer.headers["content-type"] == "application/json"
    assert await answer.text() == '{"id":7,"ratings":{"Reviewer1":5,"Reviewer2":4}}'


async def test_posted_ratings_are_kept_for_their_product(
    start_named: Any, client: aiohttp.ClientSession
) -> None:
    url = await start_named("ratings")
    posted = await client.post(f"{url}/ratings/7", data='{"Reviewer1":1,"Zoë":0}')
    assert (posted.status, await posted.json()) == (200, {"id": 7, "ratings": {"Reviewer1": 1, "Zoë": 0}})
    assert await (await client.get(f"{url}/ratings/7")).json() == await posted.json()
    assert (await (await client.get(f"{url}/ratings/8")).json())["ratings"] == {
        "Reviewer1": 5,
        "Reviewer2": 4,
    }


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        "null",
        '{"a":6}',
        '{"a":-1}',
        '{"a":"5"}',
        '{"a":4.5}',
        '{"":1}',
        '{"a":true}',
        b"\xff",
    ],
)
async def test_bad_ratings_are_refused_with_the_reason_and_change_nothing(
    body: str | bytes, start_named: Any, client: aiohttp.ClientSession
) -> None:
    url = await start_named("ratings") + "/ratings/0"
    await client.post(url, data='{"Reviewer1":2}')
    refused = await client.post(url, data=body)
    answer = await refused.json()
    assert refused.status == 400
    assert answer["error"] == "please provide valid ratings JSON"
    assert answer["reason"]
    assert (await (await client.get(url)).json())["ratings"] == {"Reviewer1": 2}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_other_than_a_number_is_a_bad_request(
    method: str, start_named: Any, client: aiohttp.ClientSession
) -> None:
    answer = await client.request(method, await start_named("ratings") + "/ratings/abc")
    assert (answer.status, await answer.json()) == (400, {"error": "please provide numeric product ID"})


async def test_health(start_named: Any, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start_named("ratings") + "/health")
    assert (answer.status, await answer.json()) == (200, {"status": "Ratings is healthy"})


class FakeDatabase:
    """Two ratings, or none to be had."""

    answer_on_failed_query = database.NOT_SELECTED

    def __init__(self) -> None:
        self.is_away = False

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def first_ratings(self) -> list[int]:
        if self.is_away:
            raise store.UnavailableError(database.NOT_CONNECTED, "no route to it")
        return [1, 2]


class Clock:
    """Time and chance as a test wants them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.chance = 0.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def start_version(start: Any, clock: Clock, fake: FakeDatabase) -> Callable[[str], Awaitable[str]]:
    """Serve a version over the fake database (v2) or memory, with the test's clock and dice."""

    async def start_it(version: str) -> str:
        environment = service_settings.Environment({"SERVICE_VERSION": version})
        common = service_settings.read(environment, "ratings", host=None, port=0)
        limits = database.Limits(timeout_s=1, connections=1)
        kept = database.DatabaseStore(fake, limits) if version == "v2" else memory.MemoryStore()
        wanted = faults.Faults(version, clock=lambda: clock.now, dice=lambda: clock.chance)
        url: str = await start(app.build(common, kept, wanted))
        return url

    return start_it


async def test_database_that_is_away_is_told_in_the_words_of_the_sample_and_comes_back(
    start_version: Any, fake: FakeDatabase, client: aiohttp.ClientSession
) -> None:
    url = await start_version("v2")
    fake.is_away = True
    away = await client.get(f"{url}/ratings/7")
    assert (away.status, await away.json()) == (500, {"error": "could not connect to ratings database"})
    ready = await client.get(f"{url}/readyz")
    assert (ready.status, await ready.text()) == (503, "could not connect to ratings database")
    assert (await client.get(f"{url}/livez")).status == 200
    assert (await client.get(f"{url}/health")).status == 200
    fake.is_away = False
    back = await client.get(f"{url}/ratings/7")
    assert (back.status, await back.json()) == (200, {"id": 7, "ratings": {"Reviewer1": 1, "Reviewer2": 2}})
    assert (await client.get(f"{url}/readyz")).status == 200


async def test_ratings_in_a_database_cannot_be_posted(
    start_version: Any, client: aiohttp.ClientSession
) -> None:
    url = await start_version("v2") + "/ratings/7"
    refused = await client.post(url, data='{"Reviewer1": 5}')
    assert refused.status == 501
    assert await refused.json() == {"error": "Post not implemented for database backed ratings"}
    assert (await client.post(url, data="[]")).status == 400


async def test_stopping_service_is_not_ready_whatever_its_database_says(
    fake: FakeDatabase, clock: Clock
) -> None:
    ratings = app.Ratings(
        database.DatabaseStore(fake, database.Limits(timeout_s=1, connections=1)),
        faults.Faults("", clock=lambda: clock.now, dice=lambda: clock.chance),
        health.Readiness(),
    )
    request = Request("GET", "/readyz")
    assert (await ratings.readyz(request)).body == b"starting"
    ratings.readiness.start()
    assert (await ratings.readyz(request)).body == b"ready"
    ratings.readiness.drain()
    assert (await ratings.readyz(request)).body == b"draining"


async def test_faulty_version_refuses_by_chance(
    start_version: Any, clock: Clock, client: aiohttp.ClientSession
) -> None:
    url = await start_version("v-faulty")
    refused = await client.get(f"{url}/ratings/7")
    assert (refused.status, await refused.json()) == (503, {"error": "Service unavailable"})
    assert (await client.post(f"{url}/ratings/7", data='{"a":1}')).status == 200
    assert (await client.get(f"{url}/health")).status == 200
    clock.chance = 0.5
    answer = await client.get(f"{url}/ratings/7")
    assert (answer.status, (await answer.json())["ratings"]) == (200, {"a": 1})


async def test_delayed_version_answers_late(
    start_version: Any, clock: Clock, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "DELAY_S", 0.2)
    url = await start_version("v-delayed")
    began = perf_counter()
    assert (await client.get(f"{url}/ratings/7")).status == 200
    assert perf_counter() - began >= 0.2
    clock.chance = 0.5
    monkeypatch.setattr(faults, "DELAY_S", 3600)
    assert (await client.get(f"{url}/ratings/7")).status == 200


async def test_unavailable_version_stays_healthy(
    start_version: Any, clock: Clock, client: aiohttp.ClientSession
) -> None:
    url = await start_version("v-unavailable")
    assert (await client.get(f"{url}/ratings/7")).status == 200
    clock.now = 60
    assert (await client.get(f"{url}/ratings/7")).status == 503
    assert (await client.get(f"{url}/health")).status == 200


async def test_unhealthy_version_says_so(
    start_version: Any, clock: Clock, client: aiohttp.ClientSession
) -> None:
    url = await start_version("v-unhealthy")
    assert (await client.get(f"{url}/health")).status == 200
    clock.now = 15 * 60
    ill = await client.get(f"{url}/health")
    assert (ill.status, await ill.json()) == (500, {"status": "Ratings is not healthy"})
    assert (await client.get(f"{url}/ratings/7")).status == 503

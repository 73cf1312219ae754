from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bookinfo.reviews import settings as reviews_settings
from bookinfo.service.settings import Environment

UNAVAILABLE = {"error": "Ratings service is currently unavailable"}


async def read(url: str, client: aiohttp.ClientSession, **headers: str) -> dict[str, Any]:
    answer = await client.get(f"{url}/reviews/0", headers=headers)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = await answer.json()
    return body


def ratings_of(body: dict[str, Any]) -> list[Any]:
    return [review.get("rating") for review in body["reviews"]]


async def test_version_without_ratings_asks_nobody(
    start_named: Any, backend: Any, client: aiohttp.ClientSession
) -> None:
    url = await start_named("reviews", SERVICE_VERSION="v1", **backend.env("ratings"))
    body = await read(url, client)
    assert list(body) == ["id", "podname", "clustername", "reviews"]
    assert (body["id"], body["podname"], body["clustername"]) == ("0", "pod-1", "null")
    assert [list(review) for review in body["reviews"]] == [["reviewer", "text"]] * 2
    assert backend.seen == []


@pytest.mark.parametrize(
    ("variables", "color"),
    [
        ({"SERVICE_VERSION": "v2"}, "black"),
        ({"SERVICE_VERSION": "v3"}, "red"),
        ({"ENABLE_RATINGS": "true"}, "black"),
        ({"ENABLE_RATINGS": "true", "STAR_COLOR": "red", "SERVICE_VERSION": "v2"}, "red"),
    ],
)
async def test_stars_come_from_ratings_in_the_color_of_the_version(
    variables: dict[str, str], color: str, start_named: Any, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.body = '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'
    body = await read(await start_named("reviews", **variables, **backend.env("ratings")), client)
    assert ratings_of(body) == [{"stars": 5, "color": color}, {"stars": 4, "color": color}]


async def test_ratings_can_be_switched_off_in_any_version(
    start_named: Any, client: aiohttp.ClientSession
) -> None:
    body = await read(await start_named("reviews", SERVICE_VERSION="v3", ENABLE_RATINGS="false"), client)
    assert ratings_of(body) == [None, None]


async def test_headers_are_propagated_to_ratings(
    start_named: Any, backend: Any, client: aiohttp.ClientSession
) -> None:
    url = await start_named("reviews", SERVICE_VERSION="v2", **backend.env("ratings"))
    await read(url, client, **{"end-user": "jason", "x-b3-traceid": "1" * 16, "x-other": "no"})
    sent = backend.sent(0)
    assert (sent["end-user"], sent["x-b3-traceid"]) == ("jason", "1" * 16)
    assert "x-other" not in sent


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "{}"),
        (503, "fault filter abort"),
        (200, "not json"),
        (200, '{"ratings":{"Reviewer1":"5"}}'),
        (200, "{}"),
    ],
)
async def test_failing_ratings_leave_the_reviews(
    status: int, body: str, start_named: Any, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.status, backend.body = status, body
    url = await start_named("reviews", SERVICE_VERSION="v2", **backend.env("ratings"))
    assert ratings_of(await read(url, client)) == [UNAVAILABLE, UNAVAILABLE]


async def test_reviewer_without_rating_gets_the_error_alone(
    start_named: Any, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.body = '{"ratings":{"Reviewer2":3}}'
    url = await start_named("reviews", SERVICE_VERSION="v3", **backend.env("ratings"))
    assert ratings_of(await read(url, client)) == [UNAVAILABLE, {"stars": 3, "color": "red"}]


async def test_slow_ratings_are_given_up(
    start_named: Any, backend: Any, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews_settings, "RATINGS_TIMEOUT_S", 0.05)
    backend.hangs = True
    url = await start_named("reviews", SERVICE_VERSION="v2", **backend.env("ratings"))
    assert ratings_of(await read(url, client)) == [UNAVAILABLE, UNAVAILABLE]


def test_black_stars_wait_longer_than_the_page_does() -> None:
    def timeout_s(color: str) -> float:
        return reviews_settings.read(Environment({"STAR_COLOR": color}), "").ratings_timeout_s

    assert (timeout_s("black"), timeout_s("red")) == (10.0, 2.5)


async def test_cluster_name_is_told(start_named: Any, client: aiohttp.ClientSession) -> None:
    assert (await read(await start_named("reviews", CLUSTER_NAME="east"), client))["clustername"] == "east"


async def test_other_than_a_number_is_not_found(start_named: Any, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start_named("reviews") + "/reviews/abc")
    assert answer.status == 404


async def test_health(start_named: Any, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start_named("reviews") + "/health")
    assert (answer.status, await answer.json()) == (200, {"status": "Reviews is healthy"})

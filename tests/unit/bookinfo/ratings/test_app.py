from __future__ import annotations

from typing import Any

import aiohttp
import pytest


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

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

BOOK = (
    '{"id":0,"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,"publisher":"PublisherA",'
    '"language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}'
)


async def test_details_have_the_shape_of_the_sample(start_named: Any, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start_named("details") + "/details/0")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert await answer.text() == BOOK


@pytest.mark.parametrize("path", ["/details/abc", "/details/1.5", "/details", "/details/99999999999"])
async def test_other_than_a_number_is_a_bad_request(
    path: str, start_named: Any, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(await start_named("details") + path)
    assert (answer.status, await answer.json()) == (400, {"error": "please provide numeric product id"})


async def test_health(start_named: Any, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start_named("details") + "/health")
    assert (answer.status, await answer.json()) == (200, {"status": "Details is healthy"})

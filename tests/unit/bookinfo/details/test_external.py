from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from bookinfo.details import app, external
from bookinfo.details.settings import DetailsSettings
from bookinfo.service import asking
from bookinfo.service import settings as service_settings

INFO = {
    "authors": ["William Shakespeare"],
    "publisher": "A Press",
    "publishedDate": "2002-01-01",
    "industryIdentifiers": [
        {"type": "ISBN_10", "identifier": "0486424618"},
        {"type": "ISBN_13", "identifier": "9780486424613"},
    ],
    "pageCount": 64,
    "printType": "BOOK",
    "language": "en",
}


@pytest.fixture
async def details(backend: Any, start: Any) -> str:
    """Details v2, with the made-up service in place of the external one."""
    backend.body = json.dumps({"totalItems": 1, "items": [{"volumeInfo": INFO}]})
    common = service_settings.read(service_settings.Environment({}), "details", host=None, port=0)
    url: str = await start(
        app.build(common, DetailsSettings(book_service_url=f"http://{backend.host}:{backend.port}"))
    )
    return url


async def test_book_is_that_of_the_external_service(
    details: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(f"{details}/details/7")
    assert (answer.status, await answer.json()) == (
        200,
        {
            "id": 7,
            "author": "William Shakespeare",
            "year": "2002-01-01",
            "type": "paperback",
            "pages": 64,
            "publisher": "A Press",
            "language": "English",
            "ISBN-10": "0486424618",
            "ISBN-13": "9780486424613",
        },
    )
    asked = backend.seen[0]
    assert (asked.path, asked.query) == ("/books/v1/volumes", b"q=isbn:0486424618")


async def test_traces_go_on_but_nobody_is_named_to_another_company(
    details: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    private = {"cookie": "session=1", "authorization": "Bearer x", "jwt": "x", "end-user": "jason"}
    await client.get(f"{details}/details/7", headers={"x-request-id": "r-1", "x-b3-traceid": "b", **private})
    sent = backend.sent(0)
    assert (sent["x-request-id"], sent["x-b3-traceid"]) == ("r-1", "b")
    assert {name for name in private if name in sent} == set()


@pytest.mark.parametrize("status", [301, 403, 429, 503])
async def test_status_of_the_external_service_is_reported(
    status: int, details: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.status = status
    answer = await client.get(f"{details}/details/7")
    error = f"the external book service answered with status {status}"
    assert (answer.status, await answer.json()) == (502, {"error": error})


@pytest.mark.parametrize("body", ["{}", "no json"])
async def test_answer_without_the_book_is_reported(
    body: str, details: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.body = body
    answer = await client.get(f"{details}/details/7")
    assert answer.status == 502
    assert (await answer.json())["error"].startswith("the external book service gave ")


async def test_too_long_an_answer_is_reported(
    details: str, backend: Any, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_ANSWER_BYTES", 10)
    answer = await client.get(f"{details}/details/7")
    assert (answer.status, await answer.json()) == (
        502,
        {"error": "the external book service gave too long an answer"},
    )


async def test_too_slow_an_answer_is_reported(
    details: str, backend: Any, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "TIMEOUT_S", 0.05)
    backend.hangs = True
    answer = await client.get(f"{details}/details/7")
    error = "the external book service gave no answer within 0.05 s"
    assert (answer.status, await answer.json()) == (504, {"error": error})


async def test_service_that_is_not_there_is_reported(start: Any, client: aiohttp.ClientSession) -> None:
    common = service_settings.read(service_settings.Environment({}), "details", host=None, port=0)
    url = await start(app.build(common, DetailsSettings(book_service_url="http://127.0.0.1:1")))
    answer = await client.get(f"{url}/details/7")
    assert answer.status == 502
    assert (await answer.json())["error"].startswith("the external book service gave no answer: ")
    assert (await client.get(f"{url}/health")).status == 200
    assert 'destination_app="books",response_code="502"' in await (await client.get(f"{url}/metrics")).text()


async def test_bad_id_is_refused_without_asking(
    details: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    assert (await client.get(f"{details}/details/abc")).status == 400
    assert backend.seen == []

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from bookinfo.productpage import backends

SECRET = {"SESSION_SECRET": "0123456789abcdef"}
REVIEWS = json.dumps({"id": "0", "podname": "reviews-v1-x", "clustername": "null", "reviews": []})


@pytest.fixture
async def page(start_named: Any, backend: Any) -> str:
    """A product page all of whose backends are the made-up one."""
    url: str = await start_named("productpage", **SECRET, **backend.env("details", "reviews", "ratings"))
    return url


async def log_in(client: aiohttp.ClientSession, page: str, name: str = "jason", **headers: str) -> Any:
    return await client.post(
        f"{page}/login",
        data={"username": name, "passwd": "password"},
        headers=headers,
        allow_redirects=False,
    )


async def test_page_asks_details_once_and_reviews_once(
    page: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(f"{page}/productpage?u=normal")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert sorted(request.path for request in backend.seen) == ["/details/0", "/reviews/0"]
    assert "backend-v7-abc" in await answer.text()


async def test_failing_reviews_are_asked_twice_and_do_not_break_the_page(
    page: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.status = 500
    answer = await client.get(f"{page}/productpage")
    assert answer.status == 200
    assert "Sorry, product reviews are currently unavailable for this book." in await answer.text()
    paths = [request.path for request in backend.seen]
    assert (paths.count("/reviews/0"), paths.count("/details/0")) == (2, 1)


async def test_slow_reviews_are_given_up_twice(
    backend: Any, start_named: Any, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "TIMEOUT_S", 0.05)
    backend.hangs = True
    page = await start_named("productpage", **SECRET, **backend.env("details", "reviews", "ratings"))
    html = await (await client.get(f"{page}/productpage")).text()
    assert "Error fetching product reviews!" in html
    assert [request.path for request in backend.seen].count("/reviews/0") == 2


def test_limits_are_those_of_the_fault_injection_task() -> None:
    assert (backends.TIMEOUT_S, backends.REVIEWS_ATTEMPTS) == (3.0, 2)


async def test_login_makes_the_user_known_to_the_backends_and_logout_ends_it(
    page: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    answer = await log_in(client, page)
    assert (answer.status, answer.headers["location"]) == (302, "productpage")
    cookie = answer.cookies["session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (
        True,
        "lax",
        "/",
        "",
    )
    logged_in = {"cookie": f"session={cookie.value}"}
    html = await (await client.get(f"{page}/productpage", headers=logged_in)).text()
    assert "jason" in html
    assert 'href="logout"' in html
    assert {request.header("end-user") for request in backend.seen} == {"jason"}
    left = await client.get(f"{page}/logout", headers=logged_in, allow_redirects=False)
    assert (left.status, left.cookies["session"].value) == (302, "")


async def test_nobody_becomes_a_user_by_a_header_or_a_forged_cookie(
    page: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    forged = {"end-user": "jason", "cookie": "session=eyJ1c2VyIjoiamFzb24ifQ.AAAA"}
    html = await (await client.get(f"{page}/productpage", headers=forged)).text()
    assert "Signed in" not in html
    assert all(request.header("end-user") is None for request in backend.seen)


async def test_cookie_is_secure_behind_https(page: str, client: aiohttp.ClientSession) -> None:
    answer = await log_in(client, page, **{"x-forwarded-proto": "https"})
    assert answer.cookies["session"]["secure"] is True


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 302),
        ({"sec-fetch-site": "same-origin"}, 302),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://shop.example", "host": "shop.example"}, 302),
    ],
)
async def test_login_form_of_another_site_is_refused(
    headers: dict[str, str], status: int, page: str, client: aiohttp.ClientSession
) -> None:
    answer = await log_in(client, page, **headers)
    assert answer.status == status
    assert ("session" in answer.cookies) is (status == 302)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "jason\r\nx-evil: 1"])
async def test_name_that_cannot_be_one_is_refused_with_a_page(
    name: str, page: str, client: aiohttp.ClientSession
) -> None:
    answer = await log_in(client, page, name)
    assert answer.status == 400
    assert "<title>Simple Bookstore App</title>" in await answer.text()


async def test_multipart_login_works_and_files_do_not(page: str, client: aiohttp.ClientSession) -> None:
    fields = aiohttp.FormData({"username": "jason"}, default_to_multipart=True)
    assert (await client.post(f"{page}/login", data=fields, allow_redirects=False)).status == 302
    upload = aiohttp.FormData()
    upload.add_field("username", b"jason", filename="name.txt")
    assert (await client.post(f"{page}/login", data=upload, allow_redirects=False)).status == 400


async def test_products_have_the_shape_of_the_sample(page: str, client: aiohttp.ClientSession) -> None:
    products = await (await client.get(f"{page}/api/v1/products")).json()
    assert [list(product) for product in products] == [["id", "title", "descriptionHtml"]]
    assert (products[0]["id"], products[0]["title"]) == (0, "The Comedy of Errors")


@pytest.mark.parametrize(
    ("path", "asked"),
    [("", "/details/7"), ("/reviews", "/reviews/7"), ("/ratings", "/ratings/7")],
)
async def test_api_passes_on_what_the_backend_says(
    path: str, asked: str, page: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.body = '{"any": ["thing"]}'
    answer = await client.get(f"{page}/api/v1/products/7{path}", headers={"x-request-id": "r1"})
    assert (answer.status, await answer.json()) == (200, {"any": ["thing"]})
    assert answer.headers["content-type"] == "application/json"
    assert [request.path for request in backend.seen] == [asked]
    assert backend.sent(0)["x-request-id"] == "r1"


@pytest.mark.parametrize(
    ("status", "body", "expected"), [(503, "", 503), (404, "{}", 404), (200, "<html>", 500), (200, "", 500)]
)
async def test_api_gives_the_status_and_the_sentence_of_a_failure(
    status: int, body: str, expected: int, page: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    backend.status, backend.body = status, body
    answer = await client.get(f"{page}/api/v1/products/0/ratings")
    assert answer.status == expected
    assert await answer.json() == {"error": "Sorry, product ratings are currently unavailable for this book."}


async def test_api_refuses_what_is_no_number_without_asking(
    page: str, backend: Any, client: aiohttp.ClientSession
) -> None:
    for product in ("abc", "0%2f..%2fhealth", "0%3fx=1"):
        assert (await client.get(f"{page}/api/v1/products/{product}")).status in {400, 404}
    assert backend.seen == []


async def test_flood_makes_that_many_more_calls(
    start_named: Any, backend: Any, client: aiohttp.ClientSession
) -> None:
    page = await start_named(
        "productpage", FLOOD_FACTOR="5", **SECRET, **backend.env("details", "reviews", "ratings")
    )
    await client.get(f"{page}/productpage")
    assert [request.path for request in backend.seen].count("/reviews/0") == 6


async def test_outcome_of_calls_is_counted(page: str, backend: Any, client: aiohttp.ClientSession) -> None:
    await client.get(f"{page}/productpage")
    text = await (await client.get(f"{page}/metrics")).text()
    assert 'request_result_total{destination_app="reviews",response_code="200"} 1.0' in text


async def test_pages_forbid_scripts_and_foreign_content(page: str, client: aiohttp.ClientSession) -> None:
    answer = await client.get(f"{page}/productpage")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    html = await answer.text()
    assert "<script" not in html
    assert " style=" not in html


@pytest.mark.parametrize("path", ["/", "/index.html"])
async def test_entrance_leads_to_the_page(path: str, page: str, client: aiohttp.ClientSession) -> None:
    html = await (await client.get(page + path)).text()
    assert 'href="productpage?u=normal"' in html
    assert 'href="productpage?u=test"' in html


async def test_health_and_errors(page: str, client: aiohttp.ClientSession) -> None:
    assert await (await client.get(f"{page}/health")).text() == "Product page is healthy"
    assert (await client.head(f"{page}/productpage")).status == 200
    assert (await client.delete(f"{page}/productpage")).status == 405
    missing = await client.get(f"{page}/api/v9")
    assert (missing.status, await missing.json()) == (404, {"error": "Not Found"})

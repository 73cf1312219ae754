from __future__ import annotations

import io
import json

import aiohttp
import pytest


async def test_headers_are_lists_under_canonical_names(client: aiohttp.ClientSession) -> None:
    headers = [("x-forwarded-client-cert", "By=spiffe://a"), ("x-many", "1"), ("x-many", "2")]
    answer = await client.get("/headers", headers=headers)
    shown = (await answer.json())["headers"]
    assert shown["X-Forwarded-Client-Cert"] == ["By=spiffe://a"]
    assert shown["X-Many"] == ["1", "2"]
    assert shown["Host"] == [f"127.0.0.1:{answer.url.port}"]
    assert list(shown) == sorted(shown)


async def test_json_is_indented_by_two_and_ends_with_a_newline(client: aiohttp.ClientSession) -> None:
    answer = await client.get("/ip")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert await answer.text() == '{\n  "origin": "127.0.0.1"\n}\n'


async def test_origin_is_the_first_that_proxies_name(client: aiohttp.ClientSession) -> None:
    answer = await client.get("/ip", headers={"x-forwarded-for": "203.0.113.7, 10.0.0.1"})
    assert await answer.json() == {"origin": "203.0.113.7"}


async def test_get_describes_the_request(client: aiohttp.ClientSession) -> None:
    answer = await client.get(
        "/get?b=2&a=1&b=3&empty=", headers={"x-forwarded-proto": "https", "host": "shop"}
    )
    body = await answer.json()
    assert list(body) == ["args", "headers", "method", "origin", "url"]
    assert body["args"] == {"a": ["1"], "b": ["2", "3"], "empty": [""]}
    assert (body["method"], body["url"]) == ("GET", "https://shop/get?b=2&a=1&b=3&empty=")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_each_method_has_its_path_and_no_other(method: str, client: aiohttp.ClientSession) -> None:
    path = f"/{method.lower()}"
    answer = await client.request(method, path, json={"a": 1})
    body = await answer.json()
    assert (body["json"], body["data"], body["method"]) == ({"a": 1}, '{"a": 1}', method)
    refused = await client.get(path)
    assert (refused.status, refused.headers["allow"]) == (405, method)


async def test_bodies_are_shown_by_content_type(client: aiohttp.ClientSession) -> None:
    form = await (await client.post("/post", data={"a": "1"})).json()
    assert form["form"] == {"a": ["1"]}
    plain = await (await client.post("/post", data=b"hi", headers={"content-type": "text/plain"})).json()
    assert plain["data"] == "hi"
    binary = await (await client.post("/post", data=b"\xff")).json()
    assert binary["data"] == "data:application/octet-stream;base64,_w=="
    upload = aiohttp.FormData()
    upload.add_field("file", b"content", filename="a.txt")
    upload.add_field("name", "value")
    multipart = await (await client.post("/post", data=upload)).json()
    assert (multipart["files"], multipart["form"]) == ({"file": ["content"]}, {"name": ["value"]})


async def test_body_that_breaks_its_promise_is_refused(client: aiohttp.ClientSession) -> None:
    answer = await client.post("/post", data=b"{", headers={"content-type": "application/json"})
    body = await answer.json()
    assert (answer.status, body["status_code"], body["error"]) == (400, 400, "Bad Request")
    assert "error parsing request body" in body["detail"]


async def test_body_beyond_a_megabyte_is_refused(client: aiohttp.ClientSession) -> None:
    assert (await client.post("/post", data=io.BytesIO(b"x" * (1024 * 1024 + 1)))).status == 413


async def test_anything_takes_every_method_and_path(client: aiohttp.ClientSession) -> None:
    for method in ("GET", "POST", "PATCH"):
        body = await (await client.request(method, "/anything/a/b?c=d")).json()
        assert (body["method"], body["args"]) == (method, {"c": ["d"]})
        assert body["url"].endswith("/anything/a/b?c=d")


@pytest.mark.parametrize("code", [200, 204, 304, 404, 503])
async def test_status_is_as_asked_and_empty(code: int, client: aiohttp.ClientSession) -> None:
    answer = await client.get(f"/status/{code}")
    assert (answer.status, await answer.read()) == (code, b"")


async def test_teapot(client: aiohttp.ClientSession) -> None:
    answer = await client.get("/status/418")
    assert (answer.status, await answer.text()) == (418, "I'm a teapot!")
    assert answer.headers["x-more-info"] == "http://tools.ietf.org/html/rfc2324"


async def test_status_is_drawn_by_weight(client: aiohttp.ClientSession) -> None:
    assert {(await client.get("/status/200:0,503:1")).status for _ in range(5)} == {503}


@pytest.mark.parametrize("codes", ["abc", "99", "600", "200:x", "200:0", ","])
async def test_status_that_is_none_is_refused(codes: str, client: aiohttp.ClientSession) -> None:
    assert (await client.get(f"/status/{codes}")).status == 400


@pytest.mark.parametrize("duration", ["0", "0.01", "10ms"])
async def test_delay_answers_with_the_request(duration: str, client: aiohttp.ClientSession) -> None:
    answer = await client.get(f"/delay/{duration}")
    assert (answer.status, (await answer.json())["method"]) == (200, "GET")


@pytest.mark.parametrize("duration", ["11", "-1", "1m", "soon", "nan", "1s!"])
async def test_delay_that_is_too_long_or_none_is_refused(
    duration: str, client: aiohttp.ClientSession
) -> None:
    assert (await client.get(f"/delay/{duration}")).status == 400


async def test_redirects_are_counted_down(client: aiohttp.ClientSession) -> None:
    first = await client.get("/redirect/3", allow_redirects=False)
    assert (first.status, first.headers["location"]) == (302, "/relative-redirect/2")
    followed = await client.get("/redirect/3")
    assert (followed.status, followed.url.path, len(followed.history)) == (200, "/get", 3)
    absolute = await client.get("/redirect/2?absolute=true", allow_redirects=False)
    assert absolute.headers["location"] == f"http://127.0.0.1:{absolute.url.port}/absolute-redirect/1"
    assert (await client.get("/redirect/0")).status == 400
    chosen = await client.get("/redirect-to?url=http://a.example/&status_code=307", allow_redirects=False)
    assert (chosen.status, chosen.headers["location"]) == (307, "http://a.example/")


async def test_cookies_are_shown_set_and_deleted(client: aiohttp.ClientSession) -> None:
    assert await (await client.get("/cookies", cookies={"b": "2", "a": "1"})).json() == {"a": "1", "b": "2"}
    answer = await client.get("/cookies/set?a=1", allow_redirects=False)
    assert (answer.status, answer.headers["location"], answer.cookies["a"].value) == (302, "/cookies", "1")
    gone = await client.get("/cookies/delete?a", allow_redirects=False)
    assert (gone.cookies["a"].value, gone.cookies["a"]["max-age"]) == ("", "0")


async def test_basic_authentication(client: aiohttp.ClientSession) -> None:
    refused = await client.get("/basic-auth/jason/secret")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="Fake Realm"')
    right = {"authorization": aiohttp.encode_basic_auth("jason", "secret")}
    allowed = await client.get("/basic-auth/jason/secret", headers=right)
    assert await allowed.json() == {"authenticated": True, "user": "jason", "authorized": True}


async def test_response_headers_are_as_asked_but_no_line_can_be_smuggled(
    client: aiohttp.ClientSession,
) -> None:
    answer = await client.get("/response-headers?X-A=1&X-A=2&Content-Type=text/plain")
    assert answer.headers.getall("x-a") == ["1", "2"]
    assert answer.headers.getall("content-type") == ["text/plain"]
    assert json.loads(await answer.text()) == {"Content-Type": ["text/plain"], "X-A": ["1", "2"]}
    assert (await client.get("/response-headers?X-A=1%0d%0aX-B:2")).status == 400


async def test_response_that_a_browser_would_run_is_escaped(client: aiohttp.ClientSession) -> None:
    answer = await client.get("/response-headers?Content-Type=text/html&a=%3Cscript%3E")
    assert "<script>" not in await answer.text()


async def test_bytes_are_as_many_as_asked_and_the_same_for_a_seed(client: aiohttp.ClientSession) -> None:
    first = await client.get("/bytes/100?seed=1")
    assert first.headers["content-type"] == "application/octet-stream"
    body = await first.read()
    assert len(body) == 100
    assert await (await client.get("/bytes/100?seed=1")).read() == body
    assert len(await (await client.get("/bytes/999999")).read()) == 100 * 1024
    assert (await client.get("/bytes/many")).status == 400


async def test_samples(client: aiohttp.ClientSession) -> None:
    assert (await client.get("/html")).headers["content-type"] == "text/html; charset=utf-8"
    assert "slideshow" in await (await client.get("/json")).json()
    assert len((await (await client.get("/uuid")).json())["uuid"]) == 36
    agent = await client.get("/user-agent", headers={"user-agent": "curl/8"})
    assert await agent.json() == {"user-agent": "curl/8"}
    assert "/status/{codes}" in await (await client.get("/")).text()


async def test_other_sites_are_allowed_as_the_original_does(client: aiohttp.ClientSession) -> None:
    answer = await client.get("/get")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-credentials"] == "true"
    asked = {"origin": "http://a", "access-control-request-headers": "x-b"}
    preflight = await client.options("/post", headers=asked)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, "http://a")
    assert preflight.headers["access-control-allow-headers"] == "x-b"


async def test_what_is_not_offered_is_not_found(client: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/gzip", "/digest-auth/auth/u/p"):
        answer = await client.get(path)
        assert (answer.status, await answer.json()) == (404, {"status_code": 404, "error": "Not Found"})

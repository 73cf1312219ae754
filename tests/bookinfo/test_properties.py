"""Whatever is sent, the answer is one a client can use: never a 5xx for bad input, never an unescaped page."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.bookinfo import asking, processes

FEW = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LARGEST = 2**31 - 1

pytestmark = pytest.mark.usefixtures("ours")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
path_segments = st.one_of(
    texts, st.binary(max_size=20), st.integers().map(str), st.from_regex(r"-?[0-9]+[a-z]?")
)

header_names = st.sampled_from(
    [
        b"Accept",
        b"Authorization",
        b"B3",
        b"Baggage",
        b"Content-Type",
        b"Cookie",
        b"End-User",
        b"Host",
        b"If-None-Match",
        b"Origin",
        b"Referer",
        b"Sec-Fetch-Site",
        b"Sw8",
        b"Traceparent",
        b"Tracestate",
        b"User-Agent",
        b"X-B3-TraceId",
        b"X-Forwarded-Proto",
        b"X-Request-Id",
    ]
)
nasty = st.sampled_from(
    [
        b"[",
        b"http://[",
        b"application/openmetrics-text; version=x",
        b"application/openmetrics-text; version=0.0.1; escaping=x",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; charset=no-such",
        b"session=.",
        b"session=e30.x; session=",
        b'session="\\377"',
        b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01",
        b"\xc3\xa9",
        b"\xff",
        b"",
    ]
)
header_values = st.one_of(
    nasty, st.binary(max_size=40).map(lambda raw: re.sub(rb"[\x00-\x1f\x7f]", b"", raw))
)
header_lines = st.lists(st.tuples(header_names, header_values).map(b": ".join), max_size=6)


@pytest.fixture(scope="module")
def world(deployment: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not deployment.is_ours:
        pytest.skip("a guarantee of Bookmesh's own services, and these are others")
    with ExitStack() as stack:
        yield World(stack, tmp_path_factory.mktemp("properties"))


class World:
    """A product page all of whose backends are one made-up neighbour, and a ratings service of our own."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self.neighbour = stack.enter_context(processes.neighbour())
        wires = processes.wiring(**dict.fromkeys(("details", "reviews", "ratings"), self.neighbour.url))
        page = processes.Process(directory, "productpage", "page", {"LOG_LEVEL": "info", **wires})
        stack.callback(page.stop)
        ratings = processes.Process(directory, "ratings", "ratings", {})
        stack.callback(ratings.stop)
        self.page, self.ratings = page.url, ratings.url


@FEW
@given(segment=path_segments)
def test_any_id(world: World, deployment: Any, segment: str | bytes) -> None:
    target = quote(segment, safe="")
    text = segment.decode("utf-8", "replace") if isinstance(segment, bytes) else segment
    world.neighbour.answer = b"{}"
    for url, path, refused in (
        (deployment.details, "/details/", {400, 404}),
        (world.ratings, "/ratings/", {400, 404}),
        (deployment.reviews["v1"], "/reviews/", {404}),
        (world.page, "/api/v1/products/", {400, 404}),
    ):
        answer = asking.ask(url, path + target)
        if re.fullmatch("-?[0-9]{1,10}", text) and abs(int(text)) <= LARGEST:
            assert answer.status == 200
        else:
            assert answer.status in refused
            assert set(answer.json) == {"error"}


@FEW
@given(lines=header_lines)
def test_any_headers(world: World, deployment: Any, lines: list[bytes]) -> None:
    world.neighbour.answer = b"{}"
    for url, method, target in (
        (world.page, b"GET", b"/productpage"),
        (world.page, b"GET", b"/api/v1/products/0"),
        (world.page, b"GET", b"/no-such-page"),
        (world.page, b"GET", b"/metrics"),
        (world.page, b"GET", b"/logout"),
        (world.page, b"POST", b"/login"),
        (deployment.reviews["v2"], b"GET", b"/reviews/0"),
    ):
        answer = asking.ask_raw(url, method=method, target=target, headers=lines)
        assert answer.status < 500, (target, lines, answer.body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(texts, st.integers(-1, 6), max_size=4).map(lambda value: json.dumps(value).encode()),
)


def is_valid(body: bytes) -> bool:
    """Say whether a body is what ratings takes: an object of names and stars."""
    try:
        value = json.loads(body.decode("utf-8"))
    except ValueError:
        return False
    return isinstance(value, dict) and all(
        isinstance(stars, int) and not isinstance(stars, bool) and 0 <= stars <= 5 and 1 <= len(name) <= 100
        for name, stars in value.items()
    )


@FEW
@given(body=bodies)
def test_any_posted_ratings(world: World, body: bytes) -> None:
    before = asking.ask(world.ratings, "/ratings/1").json
    answer = asking.ask(world.ratings, "/ratings/1", method="POST", body=body)
    after = asking.ask(world.ratings, "/ratings/1").json
    if answer.status == 200:
        assert is_valid(body)
        assert after == answer.json == {"id": 1, "ratings": json.loads(body)}
    else:
        assert answer.status == 400
        assert set(answer.json) == {"error", "reason"}
        assert not is_valid(body) or b"\\ud" in body.lower()
        assert after == before


@FEW
@given(name=texts)
def test_any_user_name_is_let_in_escaped_or_refused(world: World, name: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = f"username={quote(name, safe='')}"
    world.neighbour.answer = b"{}"
    answer = asking.ask(world.page, "/login", method="POST", headers=form, body=body)
    if answer.status == 400:
        assert not name.strip() or not name.strip().isprintable()
        return
    assert answer.status == 302
    world.neighbour.requests.clear()
    cookie = {"cookie": answer.cookies[0].partition(";")[0]}
    text = asking.ask(world.page, "/productpage", headers=cookie).text
    assert name.strip() in html.unescape(text)
    check_markup(text)
    sent = {
        request.headers["end-user"].encode("latin-1").decode("utf-8") for request in world.neighbour.requests
    }
    assert sent == {name.strip()}


@FEW
@given(
    content_type=st.one_of(nasty, st.just(b"multipart/form-data; boundary=x")), body=st.binary(max_size=200)
)
def test_any_form(world: World, content_type: bytes, body: bytes) -> None:
    headers = {"content-type": content_type.decode("latin-1")}
    answer = asking.ask(world.page, "/login", method="POST", headers=headers, body=body)
    assert answer.status in {302, 400}


markup = st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=y>', "'", "&lt;", "</title>", "{{7*7}}"]
)
shown = st.one_of(texts, markup)
ratings = st.one_of(
    st.none(),
    st.fixed_dictionaries({"stars": st.integers(-(2**63), 2**63), "color": shown}),
    st.fixed_dictionaries({"error": shown}),
    json_values,
)
reviews = st.fixed_dictionaries(
    {
        "podname": shown,
        "clustername": shown,
        "reviews": st.lists(
            st.fixed_dictionaries({"reviewer": shown, "text": shown, "rating": ratings}), max_size=3
        ),
        "author": shown,
        "publisher": shown,
    }
)


@FEW
@given(answer=st.one_of(reviews, json_values))
def test_whatever_backends_send_is_shown_escaped(world: World, answer: Any) -> None:
    world.neighbour.answer = json.dumps(answer).encode()
    page = asking.ask(world.page, "/productpage")
    assert page.status == 200
    check_markup(page.text)


def check_markup(text: str) -> None:
    """Only the page's own elements and attributes are there: nothing that was sent has become markup."""
    assert "<script" not in text
    assert "<img" not in text
    assert " onerror" not in re.sub(r">[^<]*<", "><", text)
    assert text.count("</title>") == 1
    assert text.rstrip().endswith("</html>")

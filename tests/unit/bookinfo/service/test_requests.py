from __future__ import annotations

import pytest

from bookinfo.service.requests import Request


def test_of_a_repeated_header_the_first_counts() -> None:
    request = Request("GET", "/", headers=[(b"x", b"1"), (b"y", b"2"), (b"x", b"3")])
    assert request.header("x") == "1"
    assert request.header("z") is None
    assert request.headers == [(b"x", b"1"), (b"y", b"2"), (b"x", b"3")]


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ([b"session=a.b"], "a.b"),
        ([b"other=1; session=a=b"], "a=b"),
        ([b"other=1", b"session=x"], "x"),
        ([b"session=1; session=2"], "1"),
        ([b"session = 1 "], "1"),
        ([b"session="], ""),
        ([b"session"], None),
        ([b"xsession=1; =session; ;"], None),
        ([b'session="\xff"'], '"\xff"'),
        ([], None),
    ],
)
def test_a_cookie_is_found_by_its_name(lines: list[bytes], value: str | None) -> None:
    request = Request("GET", "/", headers=[(b"cookie", line) for line in lines])
    assert request.cookie("session") == value


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b"v=1", "1"),
        (b"a=b&v=%20", " "),
        (b"v=1&v=2", "1"),
        (b"v", ""),
        (b"", None),
        (b"%76=x", "x"),
        (b"\xff", None),
    ],
)
def test_an_argument_is_found_by_its_name(query: bytes, value: str | None) -> None:
    assert Request("GET", "/", query=query).argument("v") == value

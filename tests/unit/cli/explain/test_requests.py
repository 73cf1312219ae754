from __future__ import annotations

import click
import pytest

from bookmesh.cli.explain import requests


def test_a_request_is_read_from_url_and_headers() -> None:
    asked = ("end-user=jason", "Host: x:1")
    request = requests.parse_request("get", "http://reviews:9080/a?b=1&b=2&c", asked)
    assert (request.method, request.host, request.port, request.path) == ("GET", "reviews", 9080, "/a")
    assert (request.query, request.headers) == ({"b": "1", "c": ""}, {"end-user": "jason", "host": "x:1"})
    assert (request.authority, request.header(":authority"), request.header("end-user")) == (
        "x:1",
        "x:1",
        "jason",
    )
    assert not request.is_tls
    assert requests.parse_request("GET", "a.com", ()).port == 80


def test_tls_greets_with_the_host_unless_told_otherwise() -> None:
    assert requests.parse_request("GET", "https://A.com", ()).server_name == "a.com"
    other = requests.parse_request("-", "tls://a.com", (), server_name="b.com")
    assert (other.port, other.server_name, other.is_http) == (443, "b.com", False)


@pytest.mark.parametrize(
    ("url", "header"),
    [("ftp://x", "a=b"), ("tcp://x", "a=b"), ("http://x", "nonsense"), ("http://x:99999", "a=b")],
)
def test_what_is_no_request_is_misuse(url: str, header: str) -> None:
    with pytest.raises(click.UsageError):
        requests.parse_request("GET", url, (header,))


@pytest.mark.parametrize(
    ("path", "normalized"),
    [("/a/../b", "/b"), ("/a/./b/", "/a/b/"), ("/a/..", "/"), ("/a//b", "/a//b"), ("/a/b/..", "/a/")],
)
def test_paths_are_routed_without_dots(path: str, normalized: str) -> None:
    assert requests.parse_request("GET", f"http://x{path}", ()).normalized_path == normalized

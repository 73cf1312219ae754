from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from bookmesh.mesh.gateway_api import http_filters
from bookmesh.mesh.model import http_actions
from bookmesh.mesh.model.gateway_api import filters


def rewritten(prefix: str, new: str, path: str) -> str:
    """What Envoy makes of a path that matched `prefix` by whole segments."""
    spec = msgspec.convert(
        {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}}, filters.UrlRewrite
    )
    found = http_filters.rewrite(spec, prefix)
    assert found is not None
    if found.uri_regex_rewrite is not None:
        return re.sub(found.uri_regex_rewrite.match, found.uri_regex_rewrite.rewrite, path, count=1)
    assert path.startswith(prefix)
    return found.uri + path[len(prefix) :]


@pytest.mark.parametrize(
    ("prefix", "new", "path", "expected"),
    [
        ("/foo", "/xyz", "/foo/bar", "/xyz/bar"),
        ("/foo", "/xyz/", "/foo/bar", "/xyz/bar"),
        ("/foo", "/xyz", "/foo", "/xyz"),
        ("/foo", "/xyz", "/foo/", "/xyz/"),
        ("/foo", "", "/foo/bar", "/bar"),
        ("/foo", "/", "/foo/bar", "/bar"),
        ("/foo", "/", "/foo", "/"),
        ("/foo", "/", "/foo/", "/"),
        ("/a.b", "/", "/a.b/c", "/c"),
        ("/", "/xyz", "/bar", "/xyz/bar"),
    ],
)
def test_prefixes_are_replaced_as_the_specification_tells(
    prefix: str, new: str, path: str, expected: str
) -> None:
    assert rewritten(prefix, new, path) == expected


def test_the_whole_path_is_replaced_literally() -> None:
    spec = filters.UrlRewrite(path=filters.PathModifier(type="ReplaceFullPath", replace_full_path="/a\\1"))
    found = http_filters.rewrite(spec, "/foo")
    assert found is not None
    assert found.uri_regex_rewrite == http_actions.RegexRewrite(match="/.*", rewrite="/a\\\\1")


def test_nothing_to_rewrite() -> None:
    assert http_filters.rewrite(filters.UrlRewrite(), "/foo") is None


@pytest.mark.parametrize(
    ("raw", "port", "derived"),
    [
        ({"port": 8080}, 8080, None),
        ({"scheme": "https"}, None, "FROM_PROTOCOL_DEFAULT"),
        ({"hostname": "example.org"}, None, "FROM_REQUEST_PORT"),
    ],
)
def test_where_the_port_of_a_redirection_comes_from(
    raw: dict[str, Any], port: int | None, derived: str | None
) -> None:
    found = http_filters.redirect(msgspec.convert(raw, filters.RequestRedirect), "")
    assert (found.port, found.derive_port, found.redirect_code) == (port, derived, 302)


def test_of_two_entries_for_one_header_the_first_counts() -> None:
    headers = (filters.HttpHeader(name="X-A", value="1"), filters.HttpHeader(name="x-a", value="2"))
    assert http_filters.header_operations(filters.HeaderModifier(set=headers)).set == {"x-a": "1"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [({}, None), ({"percent": 20}, 20.0), ({"fraction": {"numerator": 1, "denominator": 8}}, 12.5)],
)
def test_shares_of_mirrored_requests(raw: dict[str, Any], expected: float | None) -> None:
    mirror = msgspec.convert({"backendRef": {"name": "a"}, **raw}, filters.RequestMirror)
    found = http_filters.mirror_percentage(mirror)
    assert (found.value if found is not None else None) == expected


@pytest.mark.parametrize(
    ("origin", "matches", "others"),
    [
        ("https://a.example.com", ["https://a.example.com"], ["https://b.example.com"]),
        (
            "https://*.example.com",
            ["https://a.b.example.com"],
            ["https://example.com", "http://a.example.com"],
        ),
        ("http://a*", ["http://abc"], ["http://b"]),
        ("*", ["https://a.example.com:8443"], ["nonsense"]),
    ],
)
def test_origins_may_have_wildcards(origin: str, matches: list[str], others: list[str]) -> None:
    (found,) = http_filters.cors(filters.Cors(allow_origins=(origin,))).allow_origins

    def takes(text: str) -> bool:
        if found.exact is not None:
            return text == found.exact
        if found.prefix is not None:
            return text.startswith(found.prefix)
        return re.fullmatch(found.regex or "", text) is not None

    assert all(map(takes, matches))
    assert not any(map(takes, others))


@pytest.mark.parametrize(("value", "expected"), [("100%", "100%%"), ("%HOSTNAME%", "%HOSTNAME%")])
def test_a_percent_sign_in_a_header_is_text_unless_envoy_fills_it_in(value: str, expected: str) -> None:
    modifier = filters.HeaderModifier(set=(filters.HttpHeader(name="X-A", value=value),))
    assert http_filters.header_operations(modifier).set == {"x-a": expected}

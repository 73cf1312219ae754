from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import matching


def request(**fields: Any) -> matching.Request:
    usual = {"method": "GET", "scheme": "http", "host": "reviews", "port": 9080, "path": "/a"}
    return matching.Request(**{**usual, **fields})


def test_the_listener_of_the_very_address_wins() -> None:
    found = small_dumps.dump().listeners()
    own = matching.pick_listener(found, request(port=5432, address="10.96.0.9"))
    assert own is not None
    assert own["name"] == "10.96.0.9_5432"
    shared = matching.pick_listener(found, request(address="10.96.0.8"))
    assert shared is not None
    assert shared["name"] == "0.0.0.0_9080"
    assert matching.pick_listener(found, request(port=1)) is None


def test_the_most_specific_filter_chain_wins_and_the_default_takes_the_rest() -> None:
    chains = [
        {"name": "any", "filter_chain_match": {"transport_protocol": "tls"}},
        {"name": "name", "filter_chain_match": {"server_names": ["*.a.com"], "transport_protocol": "tls"}},
        {
            "name": "range",
            "filter_chain_match": {"prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]},
        },
        {"name": "other port", "filter_chain_match": {"destination_port": 1}},
    ]
    listener = {"filter_chains": chains, "default_filter_chain": {"name": "rest"}}

    def picked(**fields: Any) -> object:
        chain = matching.pick_chain(listener, request(**fields))
        return chain and chain["name"]

    assert picked(scheme="https", host="b.com") == "any"
    assert picked(scheme="https", host="x.a.com") == "name"
    assert picked(address="10.1.1.1") == "range"
    assert picked(address="not known") == "rest"


@pytest.mark.parametrize(
    ("host", "domain"),
    [("a.com", "a.com"), ("x.a.com", "*.a.com"), ("a.net", "a.*"), ("b.org", "*"), ("A.com:9080", "a.com")],
)
def test_exact_domains_win_over_suffixes_prefixes_and_any(host: str, domain: str) -> None:
    config = {
        "virtual_hosts": [{"name": each, "domains": [each]} for each in ("*", "a.*", "*.a.com", "a.com")]
    }
    picked = matching.pick_virtual_host(config, request(headers={"host": host}))
    assert picked is not None
    assert picked[1] == domain


def test_no_domain_no_virtual_host() -> None:
    assert matching.pick_virtual_host({"virtual_hosts": [{"domains": ["x"]}]}, request()) is None


@pytest.mark.parametrize(
    ("match", "is_taken"),
    [
        ({"prefix": "/"}, True),
        ({"path": "/A", "case_sensitive": False}, True),
        ({"path": "/A"}, False),
        ({"safe_regex": {"regex": "/[a-c]"}}, True),
        ({"safe_regex": {"regex": "(?<no python"}}, False),
        ({"path_separated_prefix": "/a"}, True),
        ({"path_separated_prefix": "/"}, False),
    ],
)
def test_paths(match: dict[str, Any], is_taken: bool) -> None:
    assert matching.is_match(match, request()) is is_taken


@pytest.mark.parametrize(
    ("matcher", "is_taken"),
    [
        ({"name": "user", "string_match": {"exact": "jason"}}, True),
        ({"name": "user", "string_match": {"prefix": "JA", "ignore_case": True}}, True),
        ({"name": "user", "string_match": {"suffix": "x"}}, False),
        ({"name": "user", "string_match": {"contains": "aso"}}, True),
        ({"name": "user", "string_match": {"safe_regex": {"regex": "j.*"}}}, True),
        ({"name": "user", "string_match": {"exact": "jason"}, "invert_match": True}, False),
        ({"name": "user", "present_match": True}, True),
        ({"name": "none", "present_match": True}, False),
        ({"name": "none", "present_match": True, "invert_match": True}, True),
        ({"name": "none", "string_match": {"exact": ""}}, False),
        ({"name": "none", "string_match": {"exact": ""}, "treat_missing_header_as_empty": True}, True),
        ({"name": "number", "range_match": {"start": "1", "end": "5"}}, True),
        ({"name": "number", "range_match": {"start": "1", "end": "4"}}, False),
        ({"name": ":method", "string_match": {"exact": "GET"}}, True),
    ],
)
def test_headers(matcher: dict[str, Any], is_taken: bool) -> None:
    asked = request(headers={"user": "jason", "number": "4"})
    assert matching.is_match({"prefix": "/", "headers": [matcher]}, asked) is is_taken


def test_query_parameters() -> None:
    match = {"prefix": "/", "query_parameters": [{"name": "a", "string_match": {"exact": "1"}}]}
    assert matching.is_match(match, request(query={"a": "1"}))
    assert not matching.is_match(match, request(query={"a": "2"}))
    assert not matching.is_match(match, request())
    assert matching.is_match({"prefix": "/", "query_parameters": [{"name": "b"}]}, request(query={"b": ""}))


def test_the_first_route_that_fits_is_taken() -> None:
    host = small_dumps.dump().routes()[0]["virtual_hosts"][0]
    assert matching.pick_route(host, request(headers={"end-user": "jason"})) == 0
    assert matching.pick_route(host, request()) == 1
    assert matching.pick_route({"routes": []}, request()) is None

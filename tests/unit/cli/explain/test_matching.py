from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import matching, requests

INSPECTORS = [{"name": f"envoy.filters.listener.{name}_inspector"} for name in ("tls", "http")]


def request(**fields: Any) -> requests.Request:
    usual = {"method": "GET", "scheme": "http", "host": "reviews", "port": 9080, "path": "/a"}
    return requests.Request(**{**usual, **fields})


def chain_for(match: dict[str, Any]) -> dict[str, Any]:
    return {"name": str(match), "filter_chain_match": match}


def test_the_listener_of_the_very_address_wins() -> None:
    found = small_dumps.dump().listeners()
    own = matching.pick_listener(found, request(port=5432, address="10.96.0.9"))
    assert own is not None
    assert own["name"] == "10.96.0.9_5432"
    shared = matching.pick_listener(found, request(address="10.96.0.8"))
    assert shared is not None
    assert shared["name"] == "0.0.0.0_9080"
    assert matching.pick_listener(found, request(port=1)) is None


@pytest.mark.parametrize(
    ("winner", "loser", "fields"),
    [
        ({"destination_port": 9080}, {}, {}),
        (
            {"prefix_ranges": [{"address_prefix": "10.1.0.0", "prefix_len": 16}]},
            {"prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]},
            {"address": "10.1.1.1"},
        ),
        ({"server_names": ["x.a.com"]}, {"server_names": ["*.a.com"]}, {"server_name": "x.a.com"}),
        ({"server_names": ["*.b.a.com"]}, {"server_names": ["*.a.com"]}, {"server_name": "x.b.a.com"}),
        ({"transport_protocol": "raw_buffer"}, {}, {}),
        ({"application_protocols": ["http/1.1", "h2c"]}, {}, {}),
        ({}, {"transport_protocol": "tls"}, {}),
        ({}, {"destination_port": 1}, {}),
        ({}, {"server_names": ["x.a.com"]}, {}),
        # A condition that comes first decides alone, though the other chain meets more of the later ones.
        ({"destination_port": 9080, "transport_protocol": "raw_buffer"}, {"server_names": ["x"]}, {}),
    ],
)
def test_the_most_specific_filter_chain_wins_condition_by_condition(
    winner: dict[str, Any], loser: dict[str, Any], fields: dict[str, Any]
) -> None:
    asked = request(**({"scheme": "https"} if "server_name" in fields else {}), **fields)
    for pair in ((winner, loser), (loser, winner)):
        listener = {"listener_filters": INSPECTORS, "filter_chains": [chain_for(match) for match in pair]}
        picked = matching.pick_chain(listener, asked)
        assert picked is not None
        assert picked["filter_chain_match"] == winner


def test_the_default_chain_takes_the_rest_and_nothing_is_looked_at_twice() -> None:
    both = {"destination_port": 9080, "transport_protocol": "tls"}
    listener = {"filter_chains": [chain_for(both), chain_for({})], "default_filter_chain": {"name": "rest"}}
    assert matching.pick_chain(listener, request()) == {"name": "rest"}
    assert matching.pick_chain({"filter_chains": []}, request()) is None


def test_without_an_inspector_everything_is_plain_bytes() -> None:
    with_inspectors = {"listener_filters": INSPECTORS}
    tls = request(scheme="https", server_name="a")
    assert matching.inspect({}, tls) == matching.Seen()
    assert matching.inspect(with_inspectors, tls) == matching.Seen("tls", "a", ("h2", "http/1.1"))
    assert matching.inspect(with_inspectors, request(scheme="tls", server_name="a")).protocols == ()
    assert matching.inspect(with_inspectors, request()).protocols == ("http/1.1",)
    assert matching.inspect(with_inspectors, request(scheme="tcp")).protocols == ()


@pytest.mark.parametrize(
    ("host", "domain"),
    [("a.com", "a.com"), ("x.a.com", "*.a.com"), ("a.net", "a.*"), ("b.org", "*"), ("A.com", "a.com")],
)
def test_exact_domains_win_over_suffixes_prefixes_and_any(host: str, domain: str) -> None:
    config = {
        "virtual_hosts": [{"name": each, "domains": [each]} for each in ("*", "a.*", "*.a.com", "a.com")]
    }
    picked = matching.pick_virtual_host(config, request(headers={"host": host}))
    assert picked is not None
    assert picked[1] == domain


@pytest.mark.parametrize(
    ("ignores_ports", "host", "is_found"),
    [(True, "a:9080", True), (True, "a", True), (False, "a:9080", False), (False, "a", True)],
)
def test_a_port_in_the_host_counts_unless_the_routes_ignore_it(
    ignores_ports: bool, host: str, is_found: bool
) -> None:
    config = {"ignore_port_in_host_matching": ignores_ports, "virtual_hosts": [{"domains": ["a"]}]}
    assert (matching.pick_virtual_host(config, request(headers={"host": host})) is not None) is is_found


def test_no_domain_no_virtual_host() -> None:
    assert matching.pick_virtual_host({"virtual_hosts": [{"domains": ["x"]}]}, request()) is None


@pytest.mark.parametrize(
    ("match", "is_taken"),
    [
        ({"prefix": "/"}, True),
        ({"path": "/A", "case_sensitive": False}, True),
        ({"path": "/A"}, False),
        ({"safe_regex": {"regex": "/[a-c]"}}, True),
        ({"safe_regex": {"regex": "/\\pN"}}, False),
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
        ({"name": "none", "range_match": {"start": "1", "end": "4"}, "invert_match": True}, False),
        ({"name": "none", "present_match": False}, True),
        ({"name": "User"}, True),
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

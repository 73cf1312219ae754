from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import describing

TLS = "envoy.transport_sockets.tls"


def test_a_route_says_what_it_does_besides_routing() -> None:
    half = {"numerator": 50}
    route = {
        "match": {
            "prefix": "/",
            "headers": [
                {**small_dumps.JASON, "invert_match": True},
                {"name": "a", "string_match": {"safe_regex": {"regex": "x.*"}}},
                {"name": "b", "present_match": False},
                {"name": "c", "range_match": {"start": "1", "end": "3"}},
            ],
            "query_parameters": [{"name": "q", "string_match": {"prefix": "y"}}, {"name": "r"}],
        },
        "route": {
            "timeout": "2s",
            "retry_policy": {
                "retry_on": "5xx",
                "num_retries": 3,
                "per_try_timeout": "1s",
                "retriable_status_codes": [503],
            },
            "prefix_rewrite": "/b",
            "host_rewrite_literal": "other",
            "request_mirror_policies": [{"cluster": "m", "runtime_fraction": {"default_value": half}}],
            "hash_policy": [{"header": {"header_name": "x-user"}}, {"cookie": {"name": "c"}}],
        },
        "request_headers_to_add": [
            {"header": {"key": "x", "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
        "response_headers_to_remove": ["server"],
    }
    assert describing.describe_route(route).split("; ") == [
        "/*, not end-user exact jason, a regex x.*, b absent, c between 1 and 3, ?q prefix y, ?r present",
        "timeout 2s",
        "up to 3 retries on 5xx,503, 1s each",
        "prefix rewritten to /b",
        "host rewritten to other",
        "mirrored to m (50 %)",
        "x: 1 set in the request",
        "server removed from the response",
        "hashed by header x-user",
        "hashed by cookie c",
    ]


@pytest.mark.parametrize(
    ("cluster", "text"),
    [
        ({"type": "EDS", "lb_policy": "LEAST_REQUEST"}, "EDS, least requests"),
        ({"type": "ORIGINAL_DST"}, "ORIGINAL_DST"),
        (
            {"type": "EDS", "transport_socket_matches": [{}], "outlier_detection": {"interval": "1s"}},
            "EDS, round robin, mutual TLS with endpoints that have a sidecar, outlier detection",
        ),
        (
            {"type": "STRICT_DNS", "transport_socket": {"name": TLS, "typed_config": {"sni": "a.com"}}},
            "STRICT_DNS, round robin, originates TLS as a.com",
        ),
    ],
)
def test_a_cluster_in_a_few_words(cluster: dict[str, Any], text: str) -> None:
    assert describing.describe_cluster(cluster) == text


def test_a_server_that_ends_tls() -> None:
    chain = {"transport_socket": {"name": TLS, "typed_config": {"require_client_certificate": True}}}
    assert describing.describe_server_tls(chain) == "ends mutual TLS: the client needs a certificate"
    assert describing.describe_server_tls({}) == ""


def test_percentages() -> None:
    assert describing.percent_of({"numerator": 1, "denominator": "TEN_THOUSAND"}) == 0.01
    assert describing.percent_of(None, missing=100.0) == 100.0
    assert describing.percent_of({}) == 0.0

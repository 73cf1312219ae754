"""What is read of a ProxyConfig, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.snapshot import proxy_fields
from bookmesh.mesh.snapshot.settings import ProxyHeaders, Topology


@pytest.mark.parametrize(
    "config", [[], {"proxyStatsMatcher": [1]}, {"proxyStatsMatcher": {"inclusionPrefixes": "x"}}]
)
def test_inclusions_have_a_shape(config: Any) -> None:
    with pytest.raises(ValueError, match=r"mapping|list of strings"):
        proxy_fields.inclusions(config)


def test_fields_without_effect_are_named_with_their_path() -> None:
    config = {
        "concurrency": 2,
        "drainDuration": "1s",
        "terminationDrainDuration": "1s",
        "gatewayTopology": {"numTrustedProxies": 1, "forwardedHeaders": "none"},
    }
    assert [*proxy_fields.unread(config)] == ["terminationDrainDuration", "gatewayTopology.forwardedHeaders"]
    assert [*proxy_fields.unread(None)] == []


@pytest.mark.parametrize(("text", "expected"), [("45s", 45), ("1m", 60), ("1500ms", 2)])
def test_drains_take_whole_seconds(text: str, expected: int) -> None:
    assert proxy_fields.drain_s({"drainDuration": text}) == expected
    assert proxy_fields.drain_s({}) is None


def test_topology_says_what_becomes_of_certificates_and_what_connections_begin_with() -> None:
    said = {"gatewayTopology": {"forwardClientCertDetails": "FORWARD_ONLY", "proxyProtocol": {}}}
    assert proxy_fields.topology(said) == Topology(0, "FORWARD_ONLY", has_proxy_protocol=True)
    undefined = {"gatewayTopology": {"forwardClientCertDetails": "UNDEFINED"}}
    assert proxy_fields.topology(undefined) == proxy_fields.topology({}) == Topology()


def test_headers_say_what_proxies_add_and_nothing_is_as_usual() -> None:
    assert proxy_fields.proxy_headers({}) == ProxyHeaders()
    found = proxy_fields.proxy_headers(
        {
            "proxyHeaders": {
                "server": {"disabled": True},
                "requestId": {"disabled": True},
                "attemptCount": {"disabled": False},
                "envoyDebugHeaders": {"disabled": True},
                "forwardedClientCert": "SANITIZE",
                "setCurrentClientCertDetails": {"subject": False, "chain": True},
            }
        }
    )
    assert found == ProxyHeaders(
        hides_itself=True,
        numbers_requests=False,
        tells_more=False,
        client_certificates="SANITIZE",
        certificate_parts=frozenset({"chain", "dns", "uri"}),
    )


@pytest.mark.parametrize(
    "headers",
    [[1], {"server": "x"}, {"requestId": {"disabled": "yes"}}, {"forwardedClientCert": "SOMETIMES"}],
)
def test_headers_have_a_shape(headers: Any) -> None:
    with pytest.raises(ValueError, match=r"proxyHeaders"):
        proxy_fields.proxy_headers({"proxyHeaders": headers})

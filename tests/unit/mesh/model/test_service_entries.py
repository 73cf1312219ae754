"""ServiceEntries: what is read, and what is refused since no Envoy could use it."""

from __future__ import annotations

import msgspec
import pytest

from bookmesh.mesh.model import service_entries as models


def test_entry_of_the_documentation_is_read() -> None:
    entry = {
        "hosts": ["edition.cnn.com"],
        "ports": [{"number": 80, "name": "http-port", "protocol": "HTTP", "targetPort": 443}],
        "resolution": "DNS",
        "location": "MESH_EXTERNAL",
        "endpoints": [{"address": "10.0.0.1", "ports": {"http-port": 8080}, "labels": {"a": "b"}}],
    }
    found = msgspec.convert(entry, models.ServiceEntry)
    assert found.ports[0].target_port == 443
    assert found.endpoints[0].ports == {"http-port": 8080}


@pytest.mark.parametrize("host", ["*", "*.example.com", "a.example.com", "a:b", "A_b.c"])
def test_names_and_wildcards_of_whole_labels_are_hosts(host: str) -> None:
    assert msgspec.convert({"hosts": [host]}, models.ServiceEntry).hosts == (host,)


def test_entry_without_hosts_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"hosts": []}, models.ServiceEntry)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"hosts": ["a**"]}, "matching regex"),
        ({"hosts": ["*part.example.com"]}, "matching regex"),
        ({"addresses": ["reviews"]}, "IP addresses or CIDR ranges"),
        ({"addresses": ["1.2.3.4/33"]}, "IP addresses or CIDR ranges"),
        ({"ports": [{"number": 0, "name": "http"}]}, "numbers from 1 to 65535"),
        ({"resolution": "STATIC", "endpoints": [{"address": "a.example.com"}]}, "with resolution STATIC"),
    ],
)
def test_what_no_envoy_could_use_is_refused(spec: dict[str, object], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.convert({"hosts": ["a.example.com"], **spec}, models.ServiceEntry)


def test_addresses_ranges_and_sockets_are_taken() -> None:
    spec = {
        "hosts": ["a.example.com"],
        "addresses": ["192.0.2.1", "198.51.100.0/24", "2001:db8::1"],
        "resolution": "STATIC",
        "endpoints": [{"address": "unix:///run/a.sock"}, {"address": "203.0.113.1"}],
    }
    assert len(msgspec.convert(spec, models.ServiceEntry).endpoints) == 2


DYNAMIC = {
    "hosts": ["*.example.com"],
    "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
    "resolution": "DYNAMIC_DNS",
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hosts": ["a.example.com"]}, "begin with a wildcard"),
        ({"hosts": ["*"]}, "begin with a wildcard"),
        ({"addresses": ["10.0.0.1"]}, "no addresses"),
        ({"endpoints": [{"address": "a.example.com"}]}, "no addresses, endpoints"),
        (
            {"ports": [{"number": 80, "name": "tcp", "protocol": "TCP"}]},
            "protocols are HTTP, HTTP2, GRPC, TLS",
        ),
    ],
)
def test_names_that_are_looked_up_when_called_need_a_wildcard_and_a_protocol_that_says_them(
    change: dict[str, object], reason: str
) -> None:
    assert msgspec.convert(DYNAMIC, models.ServiceEntry).resolution == "DYNAMIC_DNS"
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.convert(DYNAMIC | change, models.ServiceEntry)

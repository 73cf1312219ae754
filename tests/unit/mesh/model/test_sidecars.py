"""Sidecar: what is refused, and what is not acted on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import acting, sidecars


def test_hosts_of_egress_have_a_namespace() -> None:
    with pytest.raises(msgspec.ValidationError, match='host "reviews" must be NAMESPACE/HOST'):
        msgspec.convert({"egress": [{"hosts": ["reviews"]}]}, sidecars.Sidecar)


SOCKET = "unix:///run/mesh/a.sock"


@pytest.mark.parametrize(
    ("listener", "message"),
    [
        ({"port": {"protocol": "HTTP"}}, r"port needs a number, or bind a Unix socket \(unix://PATH\)"),
        ({"bind": SOCKET}, "a Unix socket needs a port with protocol and number 0"),
        ({"bind": SOCKET, "port": {"number": 80, "protocol": "HTTP"}}, "port with protocol and number 0"),
        ({"bind": SOCKET, "port": {"protocol": "HTTP"}, "captureMode": "IPTABLES"}, "nothing redirects to"),
        ({"bind": "unix://relative"}, "Expected `str` matching regex"),
        ({"bind": "1.2.3"}, 'bind "1.2.3" is neither an IP address nor unix://PATH'),
        ({"port": {"number": 15001, "protocol": "HTTP"}, "captureMode": "NONE"}, "one of the proxy's own"),
    ],
)
def test_what_no_listener_can_be_is_refused(listener: dict[str, object], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({"egress": [{"hosts": ["./*"], **listener}]}, sidecars.Sidecar)


@pytest.mark.parametrize(
    "listener",
    [
        {"bind": "10.9.9.9"},
        {"bind": "::1", "captureMode": "NONE"},
        {"bind": SOCKET, "port": {"number": 0, "protocol": "HTTP"}},
        {"bind": "unix://@abstract", "port": {"protocol": "TCP"}},
        {"port": {"number": 15080, "protocol": "http_proxy"}},
    ],
)
def test_listeners_may_have_places_of_their_own(listener: dict[str, object]) -> None:
    spec = msgspec.convert({"egress": [{"hosts": ["./*"], **listener}]}, sidecars.Sidecar)
    assert list(acting.fields_not_acted_on(spec, "spec")) == []
    assert spec.egress[0].is_proxy == ("15080" in str(listener))


@pytest.mark.parametrize(
    ("egress", "message"),
    [
        ([{"number": 80}, {"number": 80}], "two listeners of egress have port 80"),
        ([None, {"number": 80}], "without port must be the last, and the only one"),
        ([None, None], "without port must be the last, and the only one"),
    ],
)
def test_listeners_of_one_sidecar_do_not_collide(
    egress: list[dict[str, object] | None], message: str
) -> None:
    listeners = [{"hosts": ["./*"], **({"port": port} if port else {})} for port in egress]
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({"egress": listeners}, sidecars.Sidecar)


def test_sockets_and_ports_of_ingress_are_told_apart() -> None:
    egress = [{"hosts": ["./*"], "port": {"protocol": "TCP"}, "bind": SOCKET + end} for end in "ab"]
    assert len(msgspec.convert({"egress": egress}, sidecars.Sidecar).egress) == 2
    ingress = [{"port": {"number": 80, "protocol": "TCP"}}] * 2
    with pytest.raises(msgspec.ValidationError, match="two listeners of ingress have port 80"):
        msgspec.convert({"ingress": ingress}, sidecars.Sidecar)


def test_ports_of_egress_are_acted_on() -> None:
    port = {"number": 80, "protocol": "HTTP", "name": "http"}
    listener = {"hosts": ["./*"], "port": port, "captureMode": "DEFAULT"}
    spec = msgspec.convert({"egress": [listener]}, sidecars.Sidecar)
    assert list(acting.fields_not_acted_on(spec, "spec")) == []


HTTPS = {"number": 9443, "protocol": "HTTPS"}
FILES = {"mode": "SIMPLE", "serverCertificate": "/a.crt", "privateKey": "/a.key"}


def test_the_address_of_a_listener_is_acted_on() -> None:
    listener = {"port": {"number": 80, "protocol": "HTTP"}, "bind": "0.0.0.0", "captureMode": "NONE"}
    spec = msgspec.convert({"ingress": [listener]}, sidecars.Sidecar)
    assert list(acting.fields_not_acted_on(spec, "spec")) == []


@pytest.mark.parametrize(
    ("listener", "message"),
    [
        ({"port": {"number": 80}}, "port needs number and protocol"),
        ({"port": HTTPS, "bind": SOCKET}, "bind must be an address"),
        ({"port": HTTPS, "defaultEndpoint": "example.com:80"}, "Expected `str` matching regex"),
        ({"port": HTTPS, "tls": {"mode": "ISTIO_MUTUAL"}}, "tls.mode ISTIO_MUTUAL is not possible here"),
        ({"port": HTTPS, "tls": {"mode": "SIMPLE", "credentialName": "c"}}, "credentialName is for gateways"),
        ({"port": {"number": 80, "protocol": "HTTP"}, "tls": FILES}, "protocol HTTP has no TLS"),
    ],
)
def test_listeners_that_cannot_be_are_refused(listener: Any, message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({"ingress": [listener]}, sidecars.Sidecar)


@pytest.mark.parametrize("endpoint", ["", "127.0.0.1:80", "0.0.0.0:8080", "unix:///run/app.sock"])
def test_endpoints_are_of_the_pod_itself(endpoint: str) -> None:
    listener = {"port": HTTPS, "defaultEndpoint": endpoint, "tls": FILES}
    spec = msgspec.convert({"ingress": [listener]}, sidecars.Sidecar)
    assert spec.ingress[0].default_endpoint == endpoint


def test_an_endpoint_ends_with_its_port() -> None:
    listener = {"port": {"number": 80, "protocol": "HTTP", "name": "http"}, "defaultEndpoint": "\n"}
    with pytest.raises(msgspec.ValidationError, match="defaultEndpoint"):
        msgspec.convert({"ingress": [listener]}, sidecars.Sidecar)

"""Sidecar: what is refused, and what is not acted on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import acting, sidecars


def test_hosts_of_egress_have_a_namespace() -> None:
    with pytest.raises(msgspec.ValidationError, match='host "reviews" must be NAMESPACE/HOST'):
        msgspec.convert({"egress": [{"hosts": ["reviews"]}]}, sidecars.Sidecar)


@pytest.mark.parametrize(
    ("listener", "message"),
    [
        ({"port": {"protocol": "HTTP"}}, "port needs a number"),
        ({"port": {"number": 80, "protocol": "HTTP_PROXY"}}, "HTTP_PROXY is not possible here"),
        ({"captureMode": "NONE"}, "captureMode NONE is not possible here"),
    ],
)
def test_what_no_listener_can_be_here_is_refused(listener: dict[str, object], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({"egress": [{"hosts": ["./*"], **listener}]}, sidecars.Sidecar)


def test_ports_of_egress_are_acted_on() -> None:
    port = {"number": 80, "protocol": "HTTP", "name": "http"}
    listener = {"hosts": ["./*"], "port": port, "captureMode": "DEFAULT"}
    spec = msgspec.convert({"egress": [listener]}, sidecars.Sidecar)
    assert list(acting.fields_not_acted_on(spec, "spec")) == []


HTTPS = {"number": 9443, "protocol": "HTTPS"}
FILES = {"mode": "SIMPLE", "serverCertificate": "/a.crt", "privateKey": "/a.key"}


def test_the_address_of_a_listener_is_not_acted_on() -> None:
    listener = {"port": {"number": 80, "protocol": "HTTP"}, "bind": "0.0.0.0"}
    spec = msgspec.convert({"ingress": [listener]}, sidecars.Sidecar)
    assert list(acting.fields_not_acted_on(spec, "spec")) == ["spec.ingress[0].bind"]


@pytest.mark.parametrize(
    ("listener", "message"),
    [
        ({"port": {"number": 80}}, "port needs number and protocol"),
        ({"port": HTTPS, "captureMode": "NONE"}, "captureMode NONE"),
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

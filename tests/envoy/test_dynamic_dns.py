"""A real Envoy looks up the host that is called, and connects to what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.envoy import applications, gateways


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gateways.Proxy]:
    with gateways.running(
        Path(__file__).with_name("dynamic-dns.yaml"), tmp_path_factory.mktemp("gateway")
    ) as running:
        yield running


def test_every_host_under_the_wildcard_is_found(gateway: gateways.Proxy) -> None:
    with applications.application("one") as one, applications.application("two") as two:
        for name, port in (("one", one), ("two", two)):
            assert gateway.server("/", f"{name}.localhost:{port}") == name


def test_a_host_outside_of_the_wildcard_is_not_found(gateway: gateways.Proxy) -> None:
    assert gateway.get("/", "nobody.example.com").status == 404

"""Gateways and their servers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import gateways as models

PORT = {"number": 80, "name": "http", "protocol": "HTTP"}


def test_server_needs_port_and_hosts() -> None:
    broken: list[dict[str, Any]] = [
        {"hosts": ["*"]},
        {"port": PORT},
        {"port": PORT, "hosts": []},
        {"port": {**PORT, "number": 70000}, "hosts": ["*"]},
        {"port": {"number": 80, "name": "http"}, "hosts": ["*"]},
    ]
    for server in broken:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"servers": [server]}, models.Gateway)


def test_redirect_to_https_needs_no_certificate() -> None:
    server = {"port": PORT, "hosts": ["*"], "tls": {"httpsRedirect": True}}
    (found,) = msgspec.convert({"servers": [server]}, models.Gateway).servers
    assert found.tls is not None
    assert found.tls.https_redirect

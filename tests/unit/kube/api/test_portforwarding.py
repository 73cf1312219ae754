"""Ports in the query; the tunnel itself is tested with real clients."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import portforwarding


async def test_ports() -> None:
    assert portforwarding.parse_ports(request_for("GET", "/x?ports=80,81&ports=82")) == [80, 81, 82]
    assert portforwarding.parse_ports(request_for("GET", "/x")) == []


@pytest.mark.parametrize("ports", ["http", "0", "70000", "80,"])
async def test_ports_that_are_none(ports: str) -> None:
    with pytest.raises(ApiError):
        portforwarding.parse_ports(request_for("GET", f"/x?ports={ports}"))

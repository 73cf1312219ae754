"""Statuses of gRPC that a fault may have, and delays."""

from __future__ import annotations

import msgspec
import pytest

from bookmesh.mesh.model import faults as models


@pytest.mark.parametrize(("status", "number"), [("OK", 0), ("UNAVAILABLE", 14), ("14", 14)])
def test_grpc_status_has_a_number(status: str, number: int) -> None:
    assert models.grpc_status_number(status) == number


@pytest.mark.parametrize("status", ["", "unavailable", "17", "-1"])
def test_unknown_grpc_status_is_refused(status: str) -> None:
    with pytest.raises(ValueError, match="no gRPC status"):
        models.grpc_status_number(status)


@pytest.mark.parametrize("delay", ["0s", "999us"])
def test_a_delay_that_is_none_is_refused(delay: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="at least 1ms"):
        msgspec.convert({"fixedDelay": delay}, models.FaultDelay)

"""Sidecar: what is refused, and what is not acted on."""

from __future__ import annotations

import msgspec
import pytest

from bookmesh.mesh.model import acting, sidecars


def test_hosts_of_egress_have_a_namespace() -> None:
    with pytest.raises(msgspec.ValidationError, match='host "reviews" must be NAMESPACE/HOST'):
        msgspec.convert({"egress": [{"hosts": ["reviews"]}]}, sidecars.Sidecar)


def test_ingress_is_not_acted_on() -> None:
    spec = msgspec.convert({"ingress": [{"port": {"number": 80}}]}, sidecars.Sidecar)
    assert list(acting.fields_not_acted_on(spec, "spec")) == ["spec.ingress"]

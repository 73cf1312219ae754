"""What is read of a ProxyConfig, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.snapshot import proxy_fields


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
        "gatewayTopology": {"numTrustedProxies": 1, "forwardClientCertDetails": "SANITIZE"},
    }
    assert [*proxy_fields.unread(config)] == ["drainDuration", "gatewayTopology.forwardClientCertDetails"]
    assert [*proxy_fields.unread(None)] == []

from __future__ import annotations

import json
from typing import Any

import yaml
from tests.unit.cli.istioctl.conftest import Run


def proxy(name: str, **types: str) -> dict[str, Any]:
    return {"id": f"sidecar~10.0.0.1~{name}~x", "connected": True, "types": types, "refusals": []}


REFUSAL = {"type": "RDS", "resource": "9080", "message": "bad regex"}
PROXIES = [
    proxy("a.default", CDS="SYNCED", LDS="SYNCED", RDS="STALE") | {"refusals": [REFUSAL]},
    proxy("b.foo", CDS="SYNCED", EDS="NOT SENT"),
    proxy("gone.foo") | {"connected": False},
]
STATUS = {"get --raw /lab/v1/status": {"proxies": PROXIES}}


def test_connected_proxies_and_the_types_they_asked_for(istioctl: Run) -> None:
    result, _ = istioctl("ps", answers=STATUS)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED", "TYPES"]
    assert lines[1][0] == "a.default"
    assert lines[1][-2:] == ["3", "(CDS,LDS,RDS)"]
    assert len(lines) == 3


def test_a_namespace_can_be_asked_for(istioctl: Run) -> None:
    result, _ = istioctl("ps", "-n", "foo", "-v", "1", answers=STATUS)
    assert "b.foo" in result.stdout
    assert "NOT SENT" in result.stdout
    assert "a.default" not in result.stdout


def test_one_proxy_is_compared_with_what_it_was_sent(istioctl: Run) -> None:
    result, _ = istioctl("ps", "a", answers=STATUS)
    assert result.stdout.splitlines() == [
        "Clusters Match",
        "Listeners Match",
        "Routes Do Not Match",
        "Endpoints Match",
        "RDS 9080: bad regex",
    ]
    result, _ = istioctl("ps", "nobody", answers=STATUS)
    assert result.exit_code == 1


def test_json_and_yaml_are_what_the_lab_says(istioctl: Run) -> None:
    result, _ = istioctl("ps", "-o", "yaml", answers=STATUS)
    assert yaml.safe_load(result.stdout) == PROXIES
    result, _ = istioctl("ps", "-ojson", answers=STATUS)
    assert json.loads(result.stdout) == PROXIES

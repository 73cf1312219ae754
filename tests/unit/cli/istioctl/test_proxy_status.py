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
ISTIOD = "get pods -n istio-system -l app=istiod"
STATUS = {"get --raw /lab/v1/status": {"proxies": PROXIES}, ISTIOD: {"items": []}}


def test_connected_proxies_and_the_types_they_asked_for(istioctl: Run) -> None:
    result, _ = istioctl("ps", answers=STATUS)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED", "TYPES"]
    assert lines[1][:3] == ["a.default", "Kubernetes", "bookmesh"]
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


def test_the_control_plane_is_istiods_pod_once_it_is_installed(istioctl: Run) -> None:
    pods = [
        {"metadata": {"name": name}, "status": {"phase": phase}}
        for name, phase in (("istiod-1", "Succeeded"), ("istiod-2", "Running"))
    ]
    result, _ = istioctl("ps", answers={**STATUS, ISTIOD: {"items": pods}})
    assert result.stdout.splitlines()[1].split()[2] == "istiod-2"


def test_every_type_has_a_column_when_more_is_asked_for(istioctl: Run) -> None:
    result, _ = istioctl("ps", "-v", "1", answers=STATUS)
    header, first, _ = (line.split() for line in result.stdout.splitlines())
    assert header == ["NAME", "CLUSTER", "CDS", "ECDS", "EDS", "LDS", "RDS", "SDS", "ISTIOD", "VERSION"]
    assert first[2:8] == ["SYNCED", "IGNORED", "IGNORED", "SYNCED", "STALE", "IGNORED"]


def test_another_revision_is_not_there(istioctl: Run) -> None:
    result, _ = istioctl("ps", "--revision", "canary", answers=STATUS)
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'no running Istio pods of revision "canary" in "istio-system"; known: default' in result.stderr

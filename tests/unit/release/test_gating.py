from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from bookmesh.release import contracts, gating, ranges, waiting
from bookmesh.release.contracts import ReleaseId, Requirement

PAGE = ReleaseId("shop", "productpage")
NEED = {"release": "reviews", "contract": "reviews-api", "range": ">=2"}


def service(release: str, *requires: dict[str, str]) -> dict[str, Any]:
    labels = {contracts.INSTANCE: release}
    metadata = {"name": release, "labels": labels, "annotations": {contracts.REQUIRES: json.dumps(requires)}}
    return {"kind": "Service", "metadata": metadata, "spec": {"selector": {}}}


def pod(release: str, track: str = "v1", **provides: str) -> dict[str, Any]:
    metadata = {
        "name": f"{release}-{track}",
        "labels": {contracts.INSTANCE: release, contracts.TRACK: track},
        "annotations": {contracts.PROVIDES: json.dumps({f"{release}-api": one for one in provides.values()})},
    }
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return {"kind": "Pod", "metadata": metadata, "status": status}


@dataclass
class Cluster:
    """What is there changes with each look, until the last."""

    looks: list[list[dict[str, Any]]]

    def objects(self, namespace: str) -> list[dict[str, Any]]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def check(declaration: dict[str, Any], *looks: list[dict[str, Any]]) -> list[str]:
    """Codes of what is in the way; there is patience for three looks."""
    times = iter(range(1000))
    patience = waiting.Patience(lambda _e: None, 3, pause=lambda _s: None, clock=lambda: next(times))
    intended = gating.parse(json.dumps({"namespace": "shop"} | declaration))
    return [one.code for one in gating.check(intended, Cluster(list(looks)), patience)]


def test_a_declaration_is_read() -> None:
    text = {"release": "productpage", "namespace": "shop", "requires": [NEED, NEED | {"namespace": "data"}]}
    found = gating.parse(json.dumps(text | {"provides": {"v1": {"page-api": "1.2"}}, "routed": ["v1"]}))
    wanted = ranges.parse_range(">=2")
    assert found.declared.release == PAGE
    assert found.declared.requires == (
        Requirement(ReleaseId("shop", "reviews"), "reviews-api", wanted),
        Requirement(ReleaseId("data", "reviews"), "reviews-api", wanted),
    )
    assert found.declared.provides == {"v1": {"page-api": (1, 2, 0)}}
    assert found.shares == found.strict == {"v1"}
    assert gating.parse(json.dumps(text | {"routed": ["v1", "v2"], "strict": ["v2"]})).strict == {"v2"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"release": "x"}',
        '{"release": "x", "namespace": "y", "else": 1}',
        json.dumps({"release": "x", "namespace": "y", "requires": [NEED | {"range": "new"}]}),
        json.dumps({"release": "x", "namespace": "y", "provides": {"v1": {"api": "new"}}}),
    ],
)
def test_what_is_no_declaration_is_refused(text: str) -> None:
    with pytest.raises(contracts.DeclarationError, match="not a declaration"):
        gating.parse(text)


def test_what_is_required_is_waited_for() -> None:
    old, new = [pod("reviews", api="1")], [pod("reviews", api="2")]
    declaration = {"release": "productpage", "requires": [NEED]}
    assert check(declaration, old, old, new) == []
    assert check(declaration, old) == ["BM0620"]


def test_callers_of_today_have_to_live_with_the_change() -> None:
    seen = [service("productpage", NEED), pod("reviews", api="2")]
    for contract, codes in (("1", ["BM0604"]), ("2", [])):
        assert check({"release": "reviews", "provides": {"v1": {"reviews-api": contract}}}, seen) == codes


def test_pods_of_today_are_not_let_loose_on_callers() -> None:
    seen = [
        service("productpage", NEED),
        service("reviews"),
        pod("reviews", api="2"),
        pod("reviews", "v2", api="1"),
    ]
    route = {"destination": {"host": "reviews", "subset": "v1"}}
    seen.append(
        {"kind": "VirtualService", "metadata": {"name": "reviews"}, "spec": {"http": [{"route": [route]}]}}
    )
    tracks = {"v1": {"reviews-api": "2"}, "v2": {"reviews-api": "2"}}
    shifted = {"release": "reviews", "provides": tracks, "routed": ["v1", "v2"]}
    assert check(shifted, seen) == ["BM0623"]
    assert check(shifted | {"routed": ["v1"]}, seen) == []


def test_a_track_without_pods_gets_no_traffic() -> None:
    seen = [service("reviews"), pod("reviews")]
    tracks = {"v1": {}, "v2": {}}
    assert check({"release": "reviews", "provides": tracks, "routed": ["v1", "v2"]}, seen) == ["BM0621"]
    assert check({"release": "reviews", "provides": tracks, "routed": ["v1"]}, seen) == []
    assert check({"release": "reviews", "provides": tracks, "routed": ["v2"]}, []) == [], (
        "a first installation"
    )
    gone = {"release": "reviews", "provides": {"v2": {}}}
    assert check(gone, seen) == ["BM0621"], "no track of today stays"
    assert check(gone | {"routed": ["v2"], "strict": []}, seen) == ["BM0621"], "who should stand in?"
    stood_in_for = {"release": "reviews", "provides": tracks, "routed": ["v1", "v2"], "strict": []}
    assert check(stood_in_for, seen) == []

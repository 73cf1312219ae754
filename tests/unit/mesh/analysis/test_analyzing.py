"""The analyzers together."""

from __future__ import annotations

from typing import Any

from tests.golden.translate import worlds
from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh import analysis
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.settings import MeshSettings

REGISTRY = registry.build([small.service("web")], [], [], [])


def test_findings_come_by_object_in_merge_order_and_once() -> None:
    route = {"route": [{"destination": {"host": "nobody", "subset": "x"}}]}
    about = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    names = {"b": "2026-01-01T00:00:00Z", "a": "2026-01-02T00:00:00Z"}
    objects = [
        {
            **about,
            "metadata": {"name": name, "creationTimestamp": created},
            "spec": {"hosts": [name], "http": [route]},
        }
        for name, created in names.items()
    ]
    findings = analysis.analyze(worlds.build(objects, {}).snapshot)
    assert [(finding.code, finding.subject.name) for finding in findings if finding.subject] == [
        ("BM0202", "b"),
        ("BM0202", "a"),
    ]


def test_empty_mesh_has_no_findings() -> None:
    assert analysis.analyze(worlds.build([], {}).snapshot) == []


def route(name: str, target: str, host: str = "web") -> dict[str, Any]:
    http = [{"route": [{"destination": {"host": target}}]}]
    return small.istio("VirtualService", name, hosts=[host], http=http)


def snapshot_after(
    previous: snapshots.MeshSnapshot | None, *objects: dict[str, Any]
) -> snapshots.MeshSnapshot:
    parsed = [parsing.parse(obj) for obj in objects]
    settings = MeshSettings()
    return snapshots.build(REGISTRY, parsed, settings, previous=previous)


def analysis_of(
    snapshot: snapshots.MeshSnapshot, before: analysis.Analysis | None = None
) -> tuple[analysis.Analysis, int]:
    """What is found, and in how many steps."""
    going, count = analysis.steps(snapshot, before), 0
    while True:
        try:
            next(going)
        except StopIteration as end:
            return end.value, count
        count += 1


def test_after_a_change_of_routes_only_those_that_share_its_hosts_are_looked_at() -> None:
    old = route("a", "web")
    many = [route(f"r-{n}", "web", f"svc-{n}") for n in range(50)]
    first = snapshot_after(None, old, *many)
    before, steps = analysis_of(first)
    assert steps > 0
    rival = route("b", "nobody")
    second = snapshot_after(first, old, rival, *many)
    after, steps = analysis_of(second, before)
    assert steps == 0
    new = [each for each in after.findings if each not in before.findings]
    assert [each.code for each in new] == ["BM0202", "BM0207"]
    assert after.findings == analysis.analyze(snapshot_after(None, old, rival, *many))
    third = snapshot_after(second, rival, *many)
    last, steps = analysis_of(third, after)
    assert steps == 0
    assert last.findings == analysis.analyze(snapshot_after(None, rival, *many))
    assert "BM0207" not in [each.code for each in last.findings]


def test_after_a_change_of_rules_the_routes_to_their_hosts_are_looked_at() -> None:
    first = snapshot_after(None, small.routing_to("web", "v1"))
    before, _ = analysis_of(first)
    rule = small.istio("DestinationRule", host="web", subsets=[{"name": "v1"}])
    second = snapshot_after(first, small.routing_to("web", "v1"), rule)
    after, steps = analysis_of(second, before)
    assert steps == 0
    assert [each.code for each in before.findings] == ["BM0203"]
    assert after.findings == []
    third = snapshot_after(second, small.routing_to("web", "v1"))
    last, steps = analysis_of(third, after)
    assert steps == 0
    assert last.findings == before.findings


def test_after_other_changes_everything_is_looked_at() -> None:
    bound = route("a", "web")
    bound["spec"]["gateways"] = ["entry"]
    first = snapshot_after(None, bound)
    before, _ = analysis_of(first)
    second = snapshot_after(
        first, bound, small.istio("Gateway", "entry", selector={"app": "web"}, servers=[])
    )
    after, steps = analysis_of(second, before)
    assert steps > 0
    assert [each.code for each in before.findings] == ["BM0204"]
    assert [each.code for each in after.findings] == ["BM0208"]

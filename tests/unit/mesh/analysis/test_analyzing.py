"""The analyzers together."""

from __future__ import annotations

from tests.golden.translate import worlds

from bookmesh.mesh import analysis


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

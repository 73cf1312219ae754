"""BM0201, BM0205 and BM0210: what parsing found is passed on."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import parsing_findings


def test_findings_of_all_objects_are_passed_on() -> None:
    broken = small.istio("VirtualService", "broken", hosts=["web"])
    port = {"number": 80, "targetPort": 8080}
    entry = small.istio("Sidecar", "entry", egress=[{"hosts": ["*/*"], "port": port}])
    found = parsing_findings.check(small.snapshot(broken, entry, small.routing_to("web")))
    assert sorted(finding.code for finding in found) == ["BM0201", "BM0205"]

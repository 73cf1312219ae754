"""BM0211: delegates that are not there."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import missing_delegates

ROUTE = {"route": [{"destination": {"host": "web"}}]}


def test_delegate_must_exist_and_have_no_hosts() -> None:
    routes = [{"delegate": {"name": name}} for name in ("delegate", "other", "nobody")]
    found = small.about_routes(
        missing_delegates.check,
        small.istio("VirtualService", "root", hosts=["web"], http=routes),
        small.istio("VirtualService", "delegate", http=[ROUTE]),
        small.istio("VirtualService", "other", hosts=["other"], http=[ROUTE]),
    )
    assert [finding.where for finding in found] == ["spec.http[1].delegate", "spec.http[2].delegate"]

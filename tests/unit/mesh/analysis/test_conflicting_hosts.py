"""BM0207: VirtualServices of which only the older one counts."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import conflicting_hosts


def rule(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    host = "web.default.svc.cluster.local"
    return small.istio(
        "VirtualService", name, namespace, **{"hosts": [host], "http": [{"redirect": {"uri": "/"}}], **spec}
    )


def check(*rules: dict[str, Any]) -> list[Finding]:
    found = small.snapshot(*rules)
    return list(conflicting_hosts.check(found, found.routings))


def test_second_rule_for_a_host_is_reported() -> None:
    (finding,) = check(rule("a"), rule("b"))
    assert (finding.code, finding.severity, finding.where) == ("BM0207", "warning", "spec.hosts[0]")
    assert finding.known == "VirtualService default/a"


def test_rules_on_gateways_are_joined_and_no_conflict() -> None:
    bound = {"gateways": ["main"]}
    assert check(rule("a", **bound), rule("b", **bound)) == []
    assert check(rule("a", **bound), rule("b")) == []


def test_rules_nobody_sees_together_are_no_conflict() -> None:
    private = {"exportTo": ["."]}
    one, other = rule("a", "one", **private), rule("b", "other", **private)
    assert check(one, other) == []
    assert len(check(one, rule("b", "other"))) == 1


def test_a_younger_rule_that_not_everybody_sees_wins_at_home() -> None:
    (finding,) = check(rule("a"), rule("b", exportTo=["."]))
    assert finding.subject is not None
    assert (finding.subject.name, finding.known) == ("a", "VirtualService default/b")
    assert "comes first in default" in finding.message

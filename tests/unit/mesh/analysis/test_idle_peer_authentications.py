"""BM0240: PeerAuthentications without effect."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import idle_peer_authentications

POD = {
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {"containers": []},
    "status": {"podIP": "10.0.0.1"},
}


def policy(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    made = small.istio("PeerAuthentication", name, namespace, **spec)
    return {**made, "apiVersion": "security.istio.io/v1"}


def messages(*policies: dict[str, Any]) -> list[str]:
    found = list(idle_peer_authentications.check(small.snapshot(POD, *policies)))
    assert all(f.code == "BM0240" and f.where == "spec.selector" for f in found)
    return [f"{finding.subject.name}: {finding.message}" for finding in found if finding.subject]


def test_one_policy_for_each_scope_is_fine() -> None:
    web = policy("web", selector={"matchLabels": {"app": "web"}})
    assert messages(policy("mesh", "istio-system"), policy("namespace"), web) == []


def test_the_second_one_for_a_namespace_is_reported() -> None:
    (message,) = messages(policy("a"), policy("b"))
    assert message.startswith("b: ")
    assert "default/a is older" in message


def test_a_selector_that_finds_nothing_or_only_pods_of_others_is_reported() -> None:
    web = {"matchLabels": {"app": "web"}}
    other, second = messages(
        policy("a", selector=web),
        policy("b", selector={"matchLabels": {"app": "x"}}),
        policy("c", selector=web),
    )
    assert other.startswith("b: ")
    assert "finds no pod" in other
    assert second.startswith("c: ")
    assert "default/a is older and selects the same pods" in second


def test_a_selector_in_the_root_namespace_is_reported() -> None:
    (message,) = messages(policy("a", "istio-system", selector={"matchLabels": {"app": "web"}}))
    assert "root namespace" in message

"""Which mode is in force for a workload and its ports."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import peer_authentications as peers
from bookmesh.mesh.snapshot.settings import MeshSettings

ROOT = "istio-system"


def policy(mode: str | None = None, namespace: str = "shop", **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication"}
    if mode is not None:
        spec["mtls"] = {"mode": mode}
    return parsing.parse({**about, "metadata": {"name": "it", "namespace": namespace}, "spec": spec})


def modes(*configs: parsing.Parsed, **labels: str) -> peers.PeerModes:
    return peers.build_policies(configs, MeshSettings()).modes_for("shop", labels)


def on(labels: dict[str, str], **ports: str) -> dict[str, Any]:
    found = {port.removeprefix("p"): {"mode": mode} for port, mode in ports.items()}
    return {"selector": {"matchLabels": labels}, **({"portLevelMtls": found} if found else {})}


def test_without_policy_both_are_accepted() -> None:
    assert modes() == peers.PeerModes("PERMISSIVE")


def test_the_narrowest_policy_decides() -> None:
    mesh, own = policy("STRICT", ROOT), policy("DISABLE")
    one = policy("PERMISSIVE", **on({"app": "a"}))
    found = (modes(mesh), modes(mesh, own), modes(mesh, own, one, app="a"), modes(mesh, own, one, app="b"))
    assert [m.mode for m in found] == ["STRICT", "DISABLE", "PERMISSIVE", "DISABLE"]


def test_the_oldest_of_several_decides() -> None:
    assert modes(policy("STRICT"), policy("DISABLE")).mode == "STRICT"
    both = policy("STRICT", **on({"app": "a"})), policy("DISABLE", **on({"app": "a"}))
    assert modes(*both, app="a").mode == "STRICT"


def test_unset_takes_the_mode_of_the_wider_policy() -> None:
    mesh = policy("STRICT", ROOT)
    one = policy(**on({"app": "a"}, p8080="DISABLE", p9090="UNSET"))
    found = modes(mesh, policy("UNSET"), one, app="a")
    assert (found.mode, found.ports) == ("STRICT", ((8080, "DISABLE"), (9090, "STRICT")))
    assert [found.of(port) for port in (8080, 9090, 1)] == ["DISABLE", "STRICT", "STRICT"]


def test_a_selector_in_the_root_namespace_has_no_effect() -> None:
    found = peers.build_policies([policy("STRICT", ROOT, **on({"app": "a"}))], MeshSettings())
    assert found.modes_for(ROOT, {"app": "a"}).mode == "PERMISSIVE"


def test_policies_of_other_namespaces_do_not_count() -> None:
    assert (
        modes(policy("STRICT", "other"), policy("STRICT", "other", **on({"app": "a"})), app="a").ports == ()
    )
    assert modes(policy("STRICT", "other")).mode == "PERMISSIVE"

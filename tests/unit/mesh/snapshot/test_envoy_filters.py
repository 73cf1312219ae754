"""Which changes are for a proxy, and their order."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import envoy_filters, proxy

ROOT = "istio-system"


def filter_of(name: str, namespace: str = "shop", *patches: dict[str, Any], **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter"}
    found = list(patches) or [{"applyTo": "CLUSTER", "patch": {"operation": "REMOVE"}}]
    return parsing.parse(
        {
            **about,
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"configPatches": found, **spec},
        }
    )


def names(*configs: parsing.Parsed, version: str = "1.28.0", **labels: str) -> list[str]:
    workload = workloads.Workload("web", "shop", "web-1", "10.0.0.1", "web", labels=labels)
    metadata = {"ISTIO_VERSION": version, "CLUSTER_ID": "Kubernetes"}
    asking = proxy.Proxy("id", "sidecar", workload, metadata=metadata)
    return [
        f"{patch.ref.name}{patch.index}"
        for patch in envoy_filters.patches_for(asking, configs, root_namespace=ROOT)
    ]


def test_root_namespace_comes_first_then_the_own_one_and_no_other() -> None:
    assert names(filter_of("own"), filter_of("other", "other"), filter_of("root", ROOT)) == ["root0", "own0"]


def test_priority_wins_over_the_namespace() -> None:
    own, root = filter_of("own", priority=-1), filter_of("root", ROOT)
    assert names(own, root, filter_of("late", ROOT, priority=5)) == ["own0", "root0", "late0"]


def test_older_ones_come_first_and_changes_keep_their_order() -> None:
    remove = {"applyTo": "LISTENER", "patch": {"operation": "REMOVE"}}
    assert names(filter_of("a", "shop", remove, remove), filter_of("b")) == ["a0", "a1", "b0"]


def test_selector_counts_in_every_namespace() -> None:
    chosen = {"workloadSelector": {"labels": {"app": "web"}}}
    both = filter_of("own", **chosen), filter_of("root", ROOT, **chosen)
    assert names(*both, app="web") == ["root0", "own0"]
    assert names(*both, app="other") == []


def test_references_to_other_objects_are_for_nobody() -> None:
    assert names(filter_of("refs", targetRefs=[{"kind": "Service", "name": "web"}])) == []


def test_version_and_metadata_of_the_proxy_count() -> None:
    def on(**match: Any) -> parsing.Parsed:
        patch = {"applyTo": "CLUSTER", "match": {"proxy": match}, "patch": {"operation": "REMOVE"}}
        return filter_of("it", "shop", patch)

    assert names(on(proxyVersion=r"^1\.28.*")) == ["it0"]
    assert names(on(proxyVersion=r"^1\.2[0-7]")) == []
    assert names(on(proxyVersion=r"^1\.28"), version="") == []
    assert names(on(metadata={"CLUSTER_ID": "Kubernetes"})) == ["it0"]
    assert names(on(metadata={"CLUSTER_ID": "other"})) == []

"""
`helm upgrade` by itself: a Job of the chart, and a look at the cluster while it renders, refuse what `bookmesh release`
would refuse.

The image of the Job is this Bookmesh; it has the rights that the chart gives it, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml
from tests.lab import labs

pytestmark = pytest.mark.lab

CHARTS = Path(__file__).parents[2] / "charts"
NAMESPACE = "gated"
GATE = {"gate": {"enabled": True, "timeoutSeconds": 2}}
PATIENT = {"gate": {"enabled": True, "timeoutSeconds": 60}}
DEPLOYER = f"system:serviceaccount:{NAMESPACE}:deployer"
BLIND = {"guards": {"enabled": False}}


@pytest.fixture
def helm(bookinfo: labs.Lab) -> Iterator[helm_python.Config]:
    bookinfo.kubectl("create", "namespace", NAMESPACE)
    kubeconfig = bookinfo.bookmesh("kubeconfig").stdout
    with helm_python.Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE) as config:
        yield config
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def reviews(contract: str, **more: Any) -> dict[str, Any]:
    """One track that serves a version of the contract."""
    return {"versions": {"v1": {"provides": {"reviews-api": contract}}, "v2": None, "v3": None}} | more


def two_tracks(
    v1: int | None, v2: int | None, kind: str = "VirtualService", **routing: Any
) -> dict[str, Any]:
    """By weight; None for a track that is not there."""
    tracks = {"v1": v1, "v2": v2}
    versions = {name: None if weight is None else {"weight": weight} for name, weight in tracks.items()}
    return {"versions": {**versions, "v3": None}, "routing": {"kind": kind, **routing}}


def page(**more: Any) -> dict[str, Any]:
    return {"requires": [{"release": "reviews", "contract": "reviews-api", "range": ">=2"}]} | more


def gate_says(lab: labs.Lab, release: str) -> str:
    return lab.kubectl("logs", f"job/{release}-gate", "-n", NAMESPACE).stdout


def put(helm: helm_python.Config, release: str, values: dict[str, Any]) -> None:
    """Install or upgrade, and wait for the pods."""
    if any(one["name"] == release for one in helm.list(all_states=True)):
        helm.upgrade(CHARTS / release, release, values, reset_values=True, wait="watcher", timeout=60)
    else:
        helm.install(CHARTS / release, release, values, wait="watcher", timeout=60)


def test_the_gate_waits_for_what_is_required_and_keeps_it_served(
    bookinfo: labs.Lab, helm: helm_python.Config
) -> None:
    put(helm, "reviews", reviews("1", **PATIENT))
    with pytest.raises(helm_python.HelmError, match="pre-install"):
        put(helm, "productpage", page(**GATE, **BLIND))
    said = gate_says(bookinfo, "productpage")
    assert "BM0620" in said
    assert "serves reviews-api 1, not >=2, and gets traffic" in said
    deployments = bookinfo.get("deployments", "-n", NAMESPACE)["items"]
    assert [one["metadata"]["name"] for one in deployments] == ["reviews-v1"], "something was installed"
    helm.uninstall("productpage", wait="legacy", timeout=60)

    put(helm, "reviews", reviews("2", **PATIENT))
    put(helm, "productpage", page(**PATIENT))
    for back in (
        lambda: put(helm, "reviews", reviews("1", **GATE)),
        lambda: helm.rollback("reviews", version=1, timeout=60),
    ):
        with pytest.raises(helm_python.HelmError, match=r"reviews-gate not ready|pre-upgrade"):
            back()
        assert "BM0604" in gate_says(bookinfo, "reviews")
    (pod,) = bookinfo.get("pods", "-n", NAMESPACE, "-l", "app=reviews")["items"]
    assert pod["metadata"]["annotations"]["bookmesh.dev/provides"] == '{"reviews-api":"2"}'


def test_the_gate_lets_no_track_have_traffic_before_it_has_a_pod(
    bookinfo: labs.Lab, helm: helm_python.Config
) -> None:
    put(helm, "reviews", two_tracks(100, None))
    with pytest.raises(helm_python.HelmError, match="pre-upgrade"):
        put(helm, "reviews", two_tracks(50, 50, failover=False) | GATE | BLIND)
    assert "BM0621" in gate_says(bookinfo, "reviews")
    put(helm, "reviews", two_tracks(100, 0, failover=False) | PATIENT)
    put(helm, "reviews", two_tracks(50, 50, failover=False) | PATIENT)


def test_the_gate_minds_no_track_that_others_stand_in_for(helm: helm_python.Config) -> None:
    put(helm, "reviews", two_tracks(100, None))
    put(helm, "reviews", two_tracks(50, 50) | PATIENT)


def test_what_is_certain_to_go_wrong_is_refused_while_helm_renders(
    bookinfo: labs.Lab, helm: helm_python.Config
) -> None:
    with pytest.raises(
        helm_python.HelmError, match="whose ready pods serve nothing of it: upgrade reviews first"
    ):
        put(helm, "productpage", page())
    put(helm, "reviews", reviews("1"))
    with pytest.raises(helm_python.HelmError, match="whose ready pods serve 1: upgrade reviews first"):
        put(helm, "productpage", page())
    put(helm, "reviews", reviews("2"))
    put(helm, "productpage", page())


@pytest.fixture
def deployer(bookinfo: labs.Lab, helm: helm_python.Config) -> Iterator[helm_python.Config]:
    """Somebody with rights in this namespace alone, as pipelines have them."""
    bookinfo.kubectl("create", "serviceaccount", "deployer", "-n", NAMESPACE)
    rights = ("--clusterrole=edit", f"--serviceaccount={NAMESPACE}:deployer")
    bookinfo.kubectl("create", "rolebinding", "deployer", "-n", NAMESPACE, *rights)
    kubeconfig = yaml.safe_load(bookinfo.bookmesh("kubeconfig").stdout)
    token = bookinfo.kubectl("create", "token", "deployer", "-n", NAMESPACE).stdout.strip()
    for user in kubeconfig["users"]:
        user["user"] = {"token": token}
    with helm_python.Config(kubeconfig_content=yaml.safe_dump(kubeconfig), namespace=NAMESPACE) as config:
        yield config


def test_rights_in_one_namespace_are_enough(bookinfo: labs.Lab, deployer: helm_python.Config) -> None:
    refused = bookinfo.kubectl(
        "auth", "can-i", "get", "namespace/kube-system", f"--as={DEPLOYER}", check=False
    )
    assert refused.stdout.strip() == "no"
    put(deployer, "reviews", reviews("1"))
    with pytest.raises(helm_python.HelmError, match="whose ready pods serve 1: upgrade reviews first"):
        put(deployer, "productpage", page())
    put(deployer, "reviews", reviews("2"))
    put(deployer, "productpage", page())


def test_a_track_with_traffic_is_not_taken_away(bookinfo: labs.Lab, helm: helm_python.Config) -> None:
    put(helm, "reviews", two_tracks(50, 50))
    with pytest.raises(helm_python.HelmError, match="track v1 of reviews still gets 50 % of the traffic"):
        put(helm, "reviews", two_tracks(None, 100))
    retired = two_tracks(None, 100)
    retired["versions"]["v1"] = {"enabled": False}
    put(helm, "reviews", retired)
    put(helm, "reviews", two_tracks(None, 100))


@pytest.mark.parametrize("routing", [{"failover": False}, {"kind": "HTTPRoute"}], ids=str)
def test_a_track_that_nobody_stands_in_for_gets_no_weight_before_it_has_a_pod(
    helm: helm_python.Config, routing: dict[str, Any]
) -> None:
    put(helm, "reviews", two_tracks(100, None, **routing))
    with pytest.raises(
        helm_python.HelmError, match="track v2 of reviews would get traffic before it has a pod"
    ):
        put(helm, "reviews", two_tracks(50, 50, **routing))
    put(helm, "reviews", two_tracks(100, 0, **routing))
    put(helm, "reviews", two_tracks(50, 50, **routing))

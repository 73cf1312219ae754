"""Pods that want to be beside others, or away from them."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import pod_affinity

NODE: JsonObject = {"metadata": {"name": "node", "labels": {"kubernetes.io/hostname": "node"}}}
NAMESPACES = {"default": {}, "other": {"team": "b"}}


def _term(topology: str = "kubernetes.io/hostname", **more: Any) -> JsonObject:
    return {"topologyKey": topology, "labelSelector": {"matchLabels": {"app": "web"}}, **more}


def _pod(app: str = "web", *, namespace: str = "default", **affinity: JsonObject) -> JsonObject:
    required = {
        kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]} for kind, term in affinity.items()
    }
    return {
        "metadata": {"name": "p", "namespace": namespace, "labels": {"app": app}},
        "spec": {"affinity": required},
        "status": {"phase": "Running"},
    }


AWAY = "node(s) didn't match pod anti-affinity rules"
BESIDE = "node(s) didn't match pod affinity rules"


@pytest.mark.parametrize(
    ("pod", "others", "misfit"),
    [
        (_pod(podAntiAffinity=_term()), [], ""),
        (_pod(podAntiAffinity=_term()), [_pod()], AWAY),
        (_pod(podAntiAffinity=_term()), [_pod("db")], ""),
        (_pod(podAntiAffinity=_term()), [_pod(namespace="other")], ""),
        (_pod(podAntiAffinity=_term(namespaces=["other"])), [_pod(namespace="other")], AWAY),
        (_pod(podAntiAffinity=_term(namespaceSelector={})), [_pod(namespace="other")], AWAY),
        (
            _pod(podAntiAffinity=_term(namespaceSelector={"matchLabels": {"team": "a"}})),
            [_pod(namespace="other")],
            "",
        ),
        (_pod(podAntiAffinity=_term("topology.kubernetes.io/zone")), [_pod()], ""),
        (
            _pod("db"),
            [_pod("x", podAntiAffinity=_term(labelSelector={"matchLabels": {"app": "db"}}))],
            "node(s) didn't satisfy existing pods anti-affinity rules",
        ),
        (_pod("db", podAffinity=_term()), [], BESIDE),
        (_pod("db", podAffinity=_term()), [_pod()], ""),
        (_pod("web", podAffinity=_term()), [], ""),
        (_pod("web", podAffinity=_term("topology.kubernetes.io/zone")), [_pod()], BESIDE),
    ],
)
def test_neighbours(pod: JsonObject, others: list[JsonObject], misfit: str) -> None:
    assert pod_affinity.misfit(pod, NODE, others, NAMESPACES) == misfit


def test_a_pod_that_has_ended_is_no_neighbour() -> None:
    ended = {**_pod(), "status": {"phase": "Succeeded"}}
    assert pod_affinity.misfit(_pod(podAntiAffinity=_term()), NODE, [ended], NAMESPACES) == ""


def test_most_pods_do_not_care() -> None:
    assert not pod_affinity.is_wanted(_pod())
    assert pod_affinity.is_wanted(_pod(podAntiAffinity=_term()))

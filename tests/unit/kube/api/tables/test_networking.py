"""Rows of ingresses and their classes."""

from __future__ import annotations

from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import networking

METADATA = {"name": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}


def test_an_ingress() -> None:
    ingress = {
        "metadata": METADATA,
        "spec": {"ingressClassName": "istio", "rules": [{"host": "a.example"}, {}], "tls": [{}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}, {"hostname": "lb"}]}},
    }
    row = networking.ingress_row(ingress, NOW)
    assert row == ["shop", "istio", "a.example", "127.97.0.1,lb", "80, 443", "0s"]
    assert len(row) == len(networking.INGRESS_COLUMNS)
    assert networking.ingress_row({"metadata": METADATA, "spec": {}}, NOW)[1:5] == ["<none>", "*", "", "80"]


def test_an_ingress_class() -> None:
    parameters = {"apiGroup": "example.com", "kind": "Settings", "name": "x"}
    ingress_class = {"metadata": METADATA, "spec": {"controller": "istio.io/x", "parameters": parameters}}
    row = networking.ingress_class_row(ingress_class, NOW)
    assert row == ["shop", "istio.io/x", "Settings.example.com/x", "0s"]
    assert networking.ingress_class_row({"metadata": METADATA}, NOW)[1:3] == ["", "<none>"]


def test_a_network_policy() -> None:
    policy = {"metadata": METADATA, "spec": {"podSelector": {"matchLabels": {"app": "web"}}}}
    assert networking.network_policy_row(policy, NOW) == ["shop", "app=web", "0s"]
    assert networking.network_policy_row({"metadata": METADATA, "spec": {}}, NOW)[1] == "<none>"

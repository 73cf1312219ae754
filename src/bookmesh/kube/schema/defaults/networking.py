"""Ingresses and network policies."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults.filling import child, fill, objects


def fill_ingress(ingress: JsonObject) -> None:
    fill(child(ingress, "status"), loadBalancer={})


def fill_ingress_class(ingress_class: JsonObject) -> None:
    parameters = (ingress_class.get("spec") or {}).get("parameters")
    if parameters:
        fill(parameters, scope="Cluster")


def fill_network_policy(policy: JsonObject) -> None:
    spec = policy["spec"]
    kinds = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    fill(spec, policyTypes=kinds)
    for direction in ("ingress", "egress"):
        for rule in objects(spec, direction):
            for port in objects(rule, "ports"):
                fill(port, protocol="TCP")

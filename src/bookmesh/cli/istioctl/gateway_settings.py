"""What an IstioOperator says about the objects of a gateway (`k8s` of a component), laid onto its manifest. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

JsonObject = dict[str, Any]

# Fields that lie in the template of the pods, and where.
_POD: Final = ("affinity", "nodeSelector", "tolerations", "securityContext", "priorityClassName")
_CONTAINER: Final = ("env", "resources", "imagePullPolicy")
_OTHERS: Final = ("hpaSpec", "podAnnotations", "replicaCount", "service", "serviceAnnotations", "strategy")
FIELDS: Final = tuple(sorted((*_POD, *_CONTAINER, *_OTHERS)))


def apply(
    documents: Iterable[JsonObject], k8s: Mapping[str, Any], labels: Mapping[str, str]
) -> list[JsonObject]:
    """
    Give the objects of a gateway with what was asked for, and an autoscaler when `hpaSpec` is there.

    `labels` come beside those that the gateway has; what selects its pods stays as it is.
    """
    found = copy.deepcopy(list(documents))
    for document in found:
        document["metadata"].setdefault("labels", {}).update(labels)
        if document["kind"] == "Service":
            _apply_to_service(document, k8s)
        elif document["kind"] == "Deployment":
            _apply_to_deployment(document, k8s, labels)
            if "hpaSpec" in k8s:
                found.append(_autoscaler(document, k8s["hpaSpec"]))
    return found


def unknown(k8s: Mapping[str, Any]) -> list[str]:
    """Fields that nothing is done with, sorted."""
    return sorted(set(k8s) - set(FIELDS))


def _apply_to_service(service: JsonObject, k8s: Mapping[str, Any]) -> None:
    """Each field of `service` replaces that of the manifest, `ports` as a whole."""
    service["spec"].update(k8s.get("service", {}))
    service["metadata"].setdefault("annotations", {}).update(k8s.get("serviceAnnotations", {}))


def _apply_to_deployment(deployment: JsonObject, k8s: Mapping[str, Any], labels: Mapping[str, str]) -> None:
    spec = deployment["spec"]
    template = spec["template"]
    if "replicaCount" in k8s:
        spec["replicas"] = k8s["replicaCount"]
    if "hpaSpec" in k8s:
        spec.pop("replicas", None)  # the autoscaler's from now on
    if "strategy" in k8s:
        spec["strategy"] = k8s["strategy"]
    template["metadata"]["labels"].update(labels)
    template["metadata"].setdefault("annotations", {}).update(k8s.get("podAnnotations", {}))
    template["spec"].update({name: k8s[name] for name in _POD if name in k8s})
    template["spec"]["containers"][0].update({name: k8s[name] for name in _CONTAINER if name in k8s})


def _autoscaler(deployment: JsonObject, spec: Mapping[str, Any]) -> JsonObject:
    metadata = deployment["metadata"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"]}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": copy.deepcopy(metadata),
        "spec": {"maxReplicas": 5, "minReplicas": 1, **spec, "scaleTargetRef": target},
    }

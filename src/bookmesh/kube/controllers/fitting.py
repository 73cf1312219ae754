"""Whether a pod may run on a node: readiness, cordon, taints, node selector, required node affinity, and size."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import conditions, selectors
from bookmesh.kube.schema import amounts, pod_resources

_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def misfit(pod: JsonObject, node: JsonObject) -> str:
    """
    Say why a pod cannot run on a node.

    Returns:
        The scheduler's words, to be read after a count ("1 node(s) were unschedulable"); "" when it can.
    """
    if not conditions.is_true((node.get("status") or {}).get("conditions"), "Ready"):
        return "node(s) were not ready"
    spec = node.get("spec") or {}
    if spec.get("unschedulable") and not _is_tolerated(_UNSCHEDULABLE, pod):
        return "node(s) were unschedulable"
    for taint in spec.get("taints") or ():
        if taint["effect"] in ("NoSchedule", "NoExecute") and not _is_tolerated(taint, pod):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    if not _is_selected(pod, node):
        return "node(s) didn't match Pod's node affinity/selector"
    too_much = _exceeded(pod, node)
    return f"Insufficient {too_much}" if too_much else ""


def is_changed(before: JsonObject, after: JsonObject) -> bool:
    """Tell whether pods may fit now that did not before, or the other way round; heartbeats change nothing."""
    return _facts(before) != _facts(after)


def _facts(node: JsonObject) -> tuple[object, ...]:
    spec = node.get("spec") or {}
    is_ready = conditions.is_true((node.get("status") or {}).get("conditions"), "Ready")
    offered = (node.get("status") or {}).get("allocatable")
    return is_ready, bool(spec.get("unschedulable")), spec.get("taints"), selectors.labels_of(node), offered


def _is_tolerated(taint: JsonObject, pod: JsonObject) -> bool:
    return any(tolerates(toleration, taint) for toleration in pod["spec"].get("tolerations") or ())


def _exceeded(pod: JsonObject, node: JsonObject) -> str:
    """
    Name a resource of which the pod asks for more than the whole node has, "" if there is none.

    What other pods ask for does not count: they share one machine, where what is scarce shows.
    """
    offered = amounts.parse_all((node.get("status") or {}).get("allocatable"))
    if not offered:
        return ""
    asked = pod_resources.of_pod(pod["spec"], "requests")
    return next(
        (
            name
            for name, amount in sorted(asked.items())
            if amount.value > offered.get(name, amounts.ZERO).value
        ),
        "",
    )


def tolerates(toleration: JsonObject, taint: JsonObject) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _is_selected(pod: JsonObject, node: JsonObject) -> bool:
    labels = selectors.labels_of(node)
    if not selectors.has_labels(pod["spec"].get("nodeSelector") or {}, labels):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    return is_in(node, affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))


def is_in(node: JsonObject, required: JsonObject | None) -> bool:
    """Tell whether a node is among those that a NodeSelector wants; none wants every node."""
    if required is None:
        return True
    labels = selectors.labels_of(node)
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(
        (term.get("matchExpressions") or term.get("matchFields"))
        and selectors.all_match(term.get("matchExpressions") or (), labels)
        and selectors.all_match(term.get("matchFields") or (), fields)
        for term in required["nodeSelectorTerms"]
    )

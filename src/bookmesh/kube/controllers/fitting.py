"""Whether a pod may run on a node: readiness, cordon, taints, node selector, required node affinity, and size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bookmesh.base.kubernetes import JsonObject
from bookmesh.base.pods import GIVEN_SIZE
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
    return next(iter(shortages(pod, node, ())), "")


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


def shortages(pod: JsonObject, node: JsonObject, others: Iterable[JsonObject]) -> list[str]:
    """
    Say of what there is too little on a node for a pod beside `others`.

    What others ask for counts only on a node of a size that somebody gave it: on one that is the machine itself what is
    scarce shows, and a pod has to wait when it is larger than all of it.

    Returns:
        The scheduler's words, each to be read after a count, in order of the resources.
    """
    offered = amounts.parse_all((node.get("status") or {}).get("allocatable"))
    if not offered:
        return []
    asked = pod_resources.of_pod(pod["spec"], "requests")
    found = []
    taken: Mapping[str, amounts.Amount] = {}
    if has_given_size(node):
        listed = list(others)
        taken = amounts.total(pod_resources.of_pod(other["spec"], "requests") for other in listed)
        if "pods" in offered and len(listed) + 1 > offered["pods"].value:
            found.append("Too many pods")
    for name, amount in sorted(asked.items()):
        needed = amount.value + taken.get(name, amounts.ZERO).value
        if amount.value and needed > offered.get(name, amounts.ZERO).value:
            found.append(f"Insufficient {name}")
    return found


def has_given_size(node: JsonObject) -> bool:
    """Whether the node is as large as somebody said, and not as its machine happens to be."""
    return GIVEN_SIZE in (node["metadata"].get("annotations") or {})


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

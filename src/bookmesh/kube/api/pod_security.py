"""
Pod Security admission: labels of a namespace say which level its pods keep to, and what happens to those that do not.

It sees a pod as its author wrote it: a sidecar that is added here is none of the author's, and is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from bookmesh.base.kubernetes import NAMESPACES, PODS, ApiError, JsonObject, Resource
from bookmesh.kube.api import notes, statuses
from bookmesh.kube.api.admission import AdmissionRequest, Review
from bookmesh.kube.schema import pod_security
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_PREFIX: Final = "pod-security.kubernetes.io/"
_MODES: Final = ("enforce", "audit", "warn")
_VERSION: Final = re.compile(r"latest|v1\.(0|[1-9]\d*)")
_NAMESPACES: Final = records.GroupResource("", "namespaces")
_PODS: Final = records.GroupResource("", "pods")
_WORKLOADS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("", "podtemplates"): ("template",),
    ("apps", "daemonsets"): ("spec", "template"),
    ("apps", "deployments"): ("spec", "template"),
    ("apps", "replicasets"): ("spec", "template"),
    ("apps", "statefulsets"): ("spec", "template"),
    ("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "jobs"): ("spec", "template"),
}
"""Where the template of a pod is; what makes pods is only warned of."""


class Policy(NamedTuple):
    """What one mode asks for; written `restricted:latest`."""

    level: str
    version: str

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


class PodSecurity:
    """Reads namespaces, and the pods of one whose labels change, from the store."""

    def __init__(self, store: stores.Store) -> None:
        self._store = store

    def review(self, request: AdmissionRequest) -> Review:
        """
        Judge a pod, warn of what will make pods, and check the labels of a namespace.

        Raises:
            ApiError: 403 for a pod that its namespace does not allow; 422 for labels that mean nothing.
        """
        if request.operation not in ("CREATE", "UPDATE") or request.is_own:
            return Review(request.object)
        if request.resource == NAMESPACES:
            return Review(request.object, self._review_namespace(request))
        spec = _specification(request.resource, request.object)
        if spec is None or (request.resource == PODS and request.operation == "UPDATE"):
            return Review(request.object)
        labels = self._labels(request.namespace)
        _note(request.resource, spec, labels)
        if request.resource == PODS:
            _enforce(request, spec, policy_of(labels, "enforce"))
        asked = policy_of(labels, "warn")
        found = pod_security.violations(spec, asked.level)
        told = (f'would violate PodSecurity "{asked}": {", ".join(found)}',) if found else ()
        return Review(request.object, told)

    def _labels(self, namespace: str) -> Mapping[str, str]:
        stored = self._store.get(_NAMESPACES, "", namespace)
        found: Mapping[str, str] = ((stored.object["metadata"] if stored else {}).get("labels")) or {}
        return found

    def _review_namespace(self, request: AdmissionRequest) -> tuple[str, ...]:
        labels = request.object["metadata"].get("labels") or {}
        wrong = list(_wrong_labels(labels))
        if wrong:
            raise statuses.invalid(group="", kind="Namespace", name=request.name, causes=wrong)
        before = ((request.old or {}).get("metadata") or {}).get("labels") or {}
        asked = policy_of(labels, "enforce")
        if request.old is None or asked == policy_of(before, "enforce"):
            return ()
        return self._told_of_pods(request.name, asked)

    def _told_of_pods(self, namespace: str, asked: Policy) -> tuple[str, ...]:
        """Name the pods that are there and would not be allowed any more, those of one fault together."""
        faults: dict[str, list[str]] = {}
        for stored in self._store.list(_PODS, namespace):
            if found := pod_security.violations(stored.object["spec"], asked.level):
                faults.setdefault(", ".join(found), []).append(stored.name)
        if not faults:
            return ()
        lines = [
            f"{names[0]}{_others(len(names) - 1)}: {fault}"
            for fault, names in sorted(faults.items(), key=lambda item: item[1][0])
        ]
        first = (
            f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{asked}"'
        )
        return (first, *lines)


def policy_of(labels: Mapping[str, str], mode: str) -> Policy:
    """What the labels of a namespace ask for in one mode; without any, nothing."""
    level = labels.get(_PREFIX + mode, pod_security.PRIVILEGED)
    return Policy(level, labels.get(f"{_PREFIX}{mode}-version", "latest"))


def _note(resource: Resource, spec: JsonObject, labels: Mapping[str, str]) -> None:
    """Note for the audit log what is enforced, and what mode `audit` does not like."""
    policies = [policy_of(labels, mode) for mode in _MODES]
    if all(each.level == pod_security.PRIVILEGED for each in policies):
        return
    if resource == PODS:
        notes.note(f"{_PREFIX}enforce-policy", str(policies[0]))
    asked = policies[1]
    if found := pod_security.violations(spec, asked.level):
        notes.note(f"{_PREFIX}audit-violations", f'would violate PodSecurity "{asked}": {", ".join(found)}')


def _others(count: int) -> str:
    return f" (and {count} other pod{'s' * (count > 1)})" if count else ""


def _enforce(request: AdmissionRequest, spec: JsonObject, asked: Policy) -> None:
    found = pod_security.violations(spec, asked.level)
    if not found:
        return
    why = f'violates PodSecurity "{asked}": {", ".join(found)}'
    message = f'pods "{request.name}" is forbidden: {why}'
    raise ApiError(403, "Forbidden", message, details={"name": request.name, "kind": "pods"})


def _specification(resource: Resource, obj: JsonObject) -> JsonObject | None:
    """The specification of the pod, or of those that will be made; None for anything else."""
    if resource == PODS:
        found: JsonObject | None = obj.get("spec")
        return found
    path = _WORKLOADS.get((resource.group, resource.plural))
    for part in (*path, "spec") if path else ():
        obj = obj.get(part) or {}
    return obj if path and obj.get("containers") else None


def _wrong_labels(labels: Mapping[str, str]) -> Iterator[statuses.Cause]:
    for mode in _MODES:
        level, version = labels.get(_PREFIX + mode), labels.get(f"{_PREFIX}{mode}-version")
        if level is not None and level not in pod_security.LEVELS:
            why = f'Invalid value: "{level}": must be one of {", ".join(pod_security.LEVELS)}'
            yield statuses.Cause(f"metadata.labels[{_PREFIX}{mode}]", "FieldValueInvalid", why)
        if version is not None and not _VERSION.fullmatch(version):
            why = f'Invalid value: "{version}": must be "latest" or "v1.x"'
            yield statuses.Cause(f"metadata.labels[{_PREFIX}{mode}-version]", "FieldValueInvalid", why)

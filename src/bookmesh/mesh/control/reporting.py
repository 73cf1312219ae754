"""
How findings look on the objects they are about: Istio's status fields, and an Event for each new one. Pure.

`status.validationMessages` lists all findings of the object; condition `Reconciled` is False while one of them is an
error. An object that never had a finding gets no status at all; one that has a status keeps it up to date with each
generation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import JsonObject

CONDITION: Final = "Reconciled"
COMPONENT: Final = "bookmesh-mesh"

# Reasons of events and conditions: one word, as Kubernetes wants them.
_NAMES: Final = {
    "BM0201": "Unparsable",
    "BM0202": "MissingHost",
    "BM0203": "MissingSubset",
    "BM0204": "MissingGateway",
    "BM0205": "NotActedOn",
    "BM0206": "EnvoyRejected",
    "BM0207": "ConflictingHosts",
    "BM0208": "GatewayWithoutProxy",
    "BM0240": "IdlePeerAuthentication",
    "BM0241": "ConflictingMtls",
    "BM0242": "UnknownEnvoyType",
    "BM0243": "UnusablePatch",
    "BM0420": "MissingIngressClass",
    "BM0421": "IdleListenerTls",
}


def reason_for(finding: Finding) -> str:
    return _NAMES.get(finding.code, "Finding")


def build_status(
    findings: Sequence[Finding], current: JsonObject, *, generation: int, now: str
) -> JsonObject | None:
    """
    Build the status an object should get, as a merge patch; None when `current` says so already.

    `now` is RFC 3339. Conditions of other types are kept.
    """
    messages = [_message(finding) for finding in findings]
    conditions = current.get("conditions") or []
    before = next((c for c in conditions if c.get("type") == CONDITION), None)
    if not messages and before is None and not current.get("validationMessages"):
        return None
    condition = _condition(findings)
    is_same = before is not None and all(before.get(key) == value for key, value in condition.items())
    # Whoever waits for a status (Helm does) waits until it speaks of the object as it is now, not as it was.
    is_newest = current.get("observedGeneration") == generation
    if is_same and is_newest and (current.get("validationMessages") or []) == messages:
        return None
    has_turned = before is None or before.get("status") != condition["status"]
    condition["lastTransitionTime"] = (
        now if has_turned or before is None else before.get("lastTransitionTime", now)
    )
    others = [c for c in conditions if c.get("type") != CONDITION]
    return {
        "observedGeneration": generation,
        "validationMessages": messages,
        "conditions": [*others, condition],
    }


def build_event(finding: Finding, subject: JsonObject, *, now: str) -> JsonObject:
    """
    Build the Event that tells `kubectl describe` of a finding. The same finding always gets the same name.

    `subject` is the object the finding is about; `now` is RFC 3339.
    """
    metadata = subject["metadata"]
    namespace = metadata.get("namespace", "default")
    content = "\n".join((metadata.get("uid", ""), finding.code, finding.message, finding.where))
    digest = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": subject["apiVersion"],
            "kind": subject["kind"],
            "name": metadata["name"],
            "namespace": namespace,
            "uid": metadata.get("uid", ""),
            "resourceVersion": metadata.get("resourceVersion", ""),
            "fieldPath": finding.where,
        },
        "type": "Normal" if finding.severity == "info" else "Warning",
        "reason": reason_for(finding),
        "message": _text(finding),
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": "",
    }


def by_subject(findings: Sequence[Finding]) -> dict[ObjectRef, list[Finding]]:
    grouped: dict[ObjectRef, list[Finding]] = {}
    for finding in findings:
        if finding.subject is not None:
            grouped.setdefault(finding.subject, []).append(finding)
    return grouped


def _condition(findings: Sequence[Finding]) -> dict[str, Any]:
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return {"type": CONDITION, "status": "True", "reason": "Reconciled", "message": ""}
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    message = f"[{errors[0].code}] {errors[0].message}{more}"
    return {"type": CONDITION, "status": "False", "reason": reason_for(errors[0]), "message": message}


def _message(finding: Finding) -> dict[str, Any]:
    """Istio's shape, with the text that Istio leaves to its documentation."""
    parts = {"message": finding.message, "where": finding.where, "known": finding.known, "hint": finding.hint}
    return {
        "type": {"code": finding.code, "name": reason_for(finding)},
        "level": finding.severity.upper(),
        **{key: text for key, text in parts.items() if text},
    }


def _text(finding: Finding) -> str:
    parts = [f"[{finding.code}] {finding.message}"]
    parts += [
        f"{label}: {text}" for label, text in (("known", finding.known), ("hint", finding.hint)) if text
    ]
    return "; ".join(parts)

"""From the lab's findings (BM02xx) to the messages of Istio's analyzers (IST01xx). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

JsonObject = dict[str, Any]
ObjectKey = tuple[str, ...]
"""Arguments of `kubectl get` for one object."""

LEVELS: Final = ("Error", "Warning", "Info")
_QUIET_NAMESPACES: Final = frozenset({"kube-system", "kube-public", "kube-node-lease", "istio-system"})
_STEP: Final = re.compile(r"([A-Za-z]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Message:
    """`namespace` is "" for what belongs to none; `origin` is `Kind namespace/name`."""

    level: str
    code: str
    origin: str
    namespace: str
    text: str

    def is_about(self, namespace: str) -> bool:
        return not namespace or self.namespace == namespace


def objects_needed(found: Iterable[JsonObject]) -> set[ObjectKey]:
    """Objects whose content says what a finding is about."""
    return {_key(finding) for finding in found if finding["subject"] and finding["code"] in _REFERENCES}


def from_findings(found: Iterable[JsonObject], objects: Mapping[ObjectKey, Any]) -> Iterator[Message]:
    """Say each finding as Istio does; one that Istio has no message for keeps its own code."""
    for finding in found:
        subject = finding["subject"] or {"kind": "Mesh", "name": "bookmesh", "namespace": ""}
        namespace = subject["namespace"]
        name = f"{namespace}/{subject['name']}" if namespace else subject["name"]
        level, code, text = _translate(finding, objects)
        yield Message(level, code, f"{subject['kind']} {name}", namespace, text)


def from_injection(namespaces: Iterable[JsonObject], pods: Iterable[JsonObject]) -> Iterator[Message]:
    """Namespaces without a word on injection, and pods that miss the proxy they should have."""
    enabled = set()
    for namespace in namespaces:
        name = namespace["metadata"]["name"]
        labels = namespace["metadata"].get("labels") or {}
        if labels.get("istio-injection") == "enabled" or "istio.io/rev" in labels:
            enabled.add(name)
        elif name not in _QUIET_NAMESPACES and "istio-injection" not in labels:
            label = f"kubectl label namespace {name} istio-injection"
            text = (
                f"The namespace is not enabled for Istio injection. Run '{label}=enabled' to enable it, or "
                f"'{label}=disabled' to explicitly mark it as not needing injection."
            )
            yield Message("Info", "IST0102", f"Namespace {name}", name, text)
    for pod in pods:
        metadata = pod["metadata"]
        annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
        wish = labels.get("sidecar.istio.io/inject") or annotations.get("sidecar.istio.io/inject")
        is_injected = "sidecar.istio.io/status" in annotations
        if metadata["namespace"] in enabled and not is_injected and wish != "false":
            origin = f"{metadata['namespace']}/{metadata['name']}"
            text = (
                f"The pod {origin} is missing the Istio proxy. This can often be resolved by restarting or "
                "redeploying the workload."
            )
            yield Message("Warning", "IST0103", f"Pod {origin}", metadata["namespace"], text)


# Codes of findings that name what is not there, and what Istio calls it.
_REFERENCES: Final = {
    "BM0202": "host",
    "BM0203": "host+subset in destinationrule",
    "BM0204": "gateway",
    "BM0208": "selector",
    "BM0209": "credentialName",
    "BM0211": "delegate",
}


def _translate(finding: JsonObject, objects: Mapping[ObjectKey, Any]) -> tuple[str, str, str]:
    code, message = finding["code"], finding["message"]
    if code in _REFERENCES:
        value = _referenced(finding, objects.get(_key(finding)))
        return "Error", "IST0101", f'Referenced {_REFERENCES[code]} not found: "{value}"'
    if code in ("BM0201", "BM0210"):
        return "Error", "IST0106", f"Schema validation error: {message}"
    if code == "BM0205":
        return "Warning", "IST0133", f"Schema validation warning: {message}"
    if code == "BM0206":
        return "Error", "IST0001", f"Internal error: {message}"
    if code == "BM0207":
        own, host = finding["subject"], message.partition(" has no effect on ")[2].partition(" in ")[0]
        both = sorted({f"{own['namespace']}/{own['name']}", finding["known"].rpartition(" ")[2]})
        text = (
            f"The VirtualServices {','.join(both)} associated with mesh gateway define the same host {host} which can "
            "lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single "
            "resource."
        )
        return "Error", "IST0109", text
    return finding["severity"].capitalize(), code, message


def _referenced(finding: JsonObject, found: Any) -> str:
    """What the object names at the place of the finding; from its message when the object has changed since."""
    value = value_at(found, finding["where"]) if found and finding["where"] else None
    if finding["code"] == "BM0203" and value is not None:
        host = value_at(found, finding["where"].rpartition(".")[0] + ".host")
        return f"{host}+{value}"
    if isinstance(value, dict) and finding["code"] == "BM0208":
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    if isinstance(value, str):
        return value
    quoted = re.search(r'"([^"]*)"', finding["message"])
    return quoted[1] if quoted else finding["message"]


def value_at(found: Any, path: str) -> Any:
    """The value at a field path such as `spec.http[0].route[1].destination.host`; None when there is none."""
    for name, index in _STEP.findall(path):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return found


def _key(finding: JsonObject) -> ObjectKey:
    subject = finding["subject"]
    return f"{subject['kind'].lower()}s.networking.istio.io", subject["name"], "-n", subject["namespace"]

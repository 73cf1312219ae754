"""The mesh's own analysis, run over plain objects, and what it finds in the words of Istio's analyzers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.cli.istioctl.analyzers.messages import LEVELS, Level, Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects
from bookmesh.mesh import analysis
from bookmesh.mesh.model import kinds, parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import credentials, mesh_config
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.settings import MeshSettings

_STEP: Final = re.compile(r"([A-Za-z]+)|\[(\d+)\]")
# Codes of findings that name what is not there, and what Istio calls it.
_REFERENCES: Final = {
    "BM0202": "host",
    "BM0203": "host+subset in destinationrule",
    "BM0204": "gateway",
    "BM0208": "selector",
    "BM0209": "credentialName",
    "BM0211": "delegate",
}


def check(objects: Objects) -> Iterator[Message]:
    """What the mesh's own analyzers find."""
    yield from from_findings(analyze(objects), objects)


def analyze(objects: Objects) -> list[Finding]:
    """Run the mesh's analysis as its control plane does, over objects that may never have been applied."""
    configs = [parsed for each in objects.all() if (parsed := _parse(each)) is not None]
    registered = registry.build(
        objects.of("Service"),
        objects.of("EndpointSlice"),
        _running(objects),
        objects.of("Namespace"),
        configs=configs,
    )
    root = MeshSettings().root_namespace
    config = mesh_config.read(MeshSettings(), objects.find("ConfigMap", root, mesh_config.NAME))
    secrets = credentials.build_credentials(
        read for each in objects.of("Secret") if (read := credentials.parse_secret(each)) is not None
    )
    return analysis.analyze(snapshots.build(registered, configs, config.settings, secrets, config.findings))


def from_findings(found: Iterable[Finding], objects: Objects) -> Iterator[Message]:
    """Say each finding as Istio does; one that Istio has no message for keeps its own code."""
    for finding in found:
        subject = finding.subject or ObjectRef("Mesh", "bookmesh")
        level, code, text = _translate(finding, objects)
        yield Message(level, code, str(subject), subject.namespace, text, finding.where)
        for name in _both(finding) if finding.code == "BM0207" else ():
            namespace = name.partition("/")[0]
            if name != f"{subject.namespace}/{subject.name}":
                yield Message(level, code, f"{subject.kind} {name}", namespace, text, "spec.hosts")


def value_at(found: Any, path: str) -> Any:
    """The value at a field path such as `spec.http[0].route[1].destination.host`; None when there is none."""
    for name, index in _STEP.findall(path):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return found


def _parse(found: JsonObject) -> parsing.Parsed | None:
    if kinds.kind_for(found.get("apiVersion", ""), found["kind"]) is None:
        return None
    return parsing.parse(found)


def _running(objects: Objects) -> Iterator[JsonObject]:
    """Pods, and a pod for each template that is in a file only: what it selects will be there once it is applied."""
    for number, (owner, template) in enumerate(objects.workloads()):
        if owner["kind"] == "Pod" and owner.get("status", {}).get("podIP"):
            yield owner
        elif owner["kind"] == "Pod" or "uid" not in owner["metadata"]:
            metadata = {**(template.get("metadata") or {}), "name": owner["metadata"]["name"]}
            metadata["namespace"] = owner["metadata"]["namespace"]
            status = {"phase": "Running", "podIP": f"template-{number}"}
            yield {"metadata": metadata, "spec": template.get("spec") or {}, "status": status}


def _translate(finding: Finding, objects: Objects) -> tuple[Level, str, str]:
    code, message = finding.code, finding.message
    if code in _REFERENCES:
        return (
            "Error",
            "IST0101",
            f'Referenced {_REFERENCES[code]} not found: "{_referenced(finding, objects)}"',
        )
    if code in ("BM0201", "BM0210"):
        return "Error", "IST0106", f"Schema validation error: {message}"
    if code == "BM0205":
        return "Warning", "IST0133", f"Schema validation warning: {message}"
    if code == "BM0206":
        return "Error", "IST0001", f"Internal error: {message}"
    if code == "BM0207" and finding.subject is not None:
        host, both = message.partition(" has no effect on ")[2].partition(" in ")[0], _both(finding)
        text = (
            f"The VirtualServices {','.join(both)} associated with mesh gateway define the same host {host} which can "
            "lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single "
            "resource."
        )
        return "Error", "IST0109", text
    level = next(each for each in LEVELS if each.lower() == finding.severity)
    return level, code, message


def _both(finding: Finding) -> list[str]:
    """The two VirtualServices, as `NAMESPACE/NAME`, of which one takes a host from the other."""
    own = finding.subject or ObjectRef("VirtualService", "")
    return sorted({f"{own.namespace}/{own.name}", finding.known.rpartition(" ")[2]})


def _referenced(finding: Finding, objects: Objects) -> str:
    """What the object names at the place of the finding; from its message when the object is not at hand."""
    subject = finding.subject
    found = objects.find(subject.kind, subject.namespace, subject.name) if subject is not None else None
    value = value_at(found, finding.where) if found and finding.where else None
    if finding.code == "BM0203" and value is not None:
        host = value_at(found, finding.where.rpartition(".")[0] + ".host")
        return f"{host}+{value}"
    if isinstance(value, dict) and finding.code == "BM0208":
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    if isinstance(value, str):
        return value
    quoted = re.search(r'"([^"]*)"', finding.message)
    return quoted[1] if quoted else finding.message

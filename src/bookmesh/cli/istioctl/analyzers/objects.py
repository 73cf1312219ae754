"""The objects that are analyzed, by kind, whether they come from a cluster or from files. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bookmesh.mesh.snapshot import hosts

JsonObject = dict[str, Any]
DOMAIN: Final = "cluster.local"
TEMPLATED: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
_ISTIO: Final = ".istio.io/"


class Objects:
    """`namespace` is where objects are that name none. Of two objects of the same name the later one counts."""

    def __init__(self, found: Iterable[JsonObject], *, namespace: str = "default") -> None:
        self._kinds: dict[str, dict[tuple[str, str], JsonObject]] = defaultdict(dict)
        for each in found:
            metadata = each.get("metadata") or {}
            if not each.get("kind") or not metadata.get("name"):
                continue
            if each["kind"] != "Namespace" and not metadata.get("namespace"):
                metadata = {**metadata, "namespace": namespace}
            own = {**each, "metadata": metadata}
            self._kinds[_key(own)][metadata.get("namespace", ""), metadata["name"]] = own

    def of(self, kind: str) -> list[JsonObject]:
        """All of a kind: `Service`, or for kinds of Istio alone `VirtualService`."""
        return list(self._kinds[kind].values())

    def find(self, kind: str, namespace: str, name: str) -> JsonObject | None:
        return self._kinds[kind].get((namespace, name))

    def all(self) -> Iterator[JsonObject]:
        for found in self._kinds.values():
            yield from found.values()

    def workloads(self) -> Iterator[tuple[JsonObject, JsonObject]]:
        """What runs or will run: (owner, pod or pod template); pods stand for themselves."""
        for pod in self.of("Pod"):
            yield pod, pod
        for kind in TEMPLATED:
            for owner in self.of(kind):
                template = (owner.get("spec") or {}).get("template")
                if template:
                    yield owner, template

    def labels_in(self, namespace: str | None) -> Iterator[Mapping[str, str]]:
        """The labels of everything that runs or will run in a namespace; None: in any."""
        for owner, template in self.workloads():
            if namespace in (None, owner["metadata"]["namespace"]):
                yield (template.get("metadata") or {}).get("labels") or {}

    def service(self, host: str, namespace: str) -> JsonObject | None:
        """The Service that an object of a namespace means by a host."""
        name = hosts.qualified(host, namespace, DOMAIN)
        for service in self.of("Service"):
            full = hostname(service)
            if name in (full, full.removesuffix(f".{DOMAIN}"), full.removesuffix(f".svc.{DOMAIN}")):
                return service
        return None

    def entries(self, host: str) -> list[JsonObject]:
        """ServiceEntries for a host, which may be a wildcard on either side."""
        return [
            entry
            for entry in self.of("ServiceEntry")
            if any(hosts.narrower(pattern, host) for pattern in entry["spec"].get("hosts") or [])
        ]


def hostname(service: JsonObject) -> str:
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{DOMAIN}"


def selects(selector: Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a selector; an empty one selects nothing here."""
    return bool(selector) and (selector or {}).items() <= labels.items()


def _key(found: JsonObject) -> str:
    """The kind; a Gateway of Kubernetes' Gateway API is another kind than Istio's."""
    group = found.get("apiVersion", "").partition("/")[0]
    kind = str(found["kind"])
    return f"{kind}.{group}" if kind == "Gateway" and group.startswith("gateway.") else kind

"""
The port through which every part reads and writes Kubernetes objects.

`Client` is implemented twice: in process, over the lab's own API server, and over HTTP for any other one. Objects
are plain JSON; what a client hands out is shared and must never be mutated (copy with `copy_json` first).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import orjson

JsonObject = dict[str, Any]
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
PatchType = Literal["json", "merge", "strategic"]


class Resource(NamedTuple):
    """Coordinates of one served resource, such as `Resource("apps", "v1", "deployments")`; group "" is core."""

    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name kubectl and Status messages use: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change, in resourceVersion order. A BOOKMARK carries nothing but a resourceVersion."""

    type: EventType
    object: JsonObject


@dataclass(frozen=True, slots=True)
class ObjectList:
    """Items in (namespace, name) order, and the resourceVersion from which a watch continues without a gap."""

    items: list[JsonObject]
    resource_version: str


class ApiError(Exception):
    """A refusal in the words of a Kubernetes `Status` object; `code` is the HTTP status, `reason` may be ""."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
        list_metadata: JsonObject | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = dict(headers or {})
        self.list_metadata = list_metadata or {}

    def status(self) -> JsonObject:
        """Build the `Status` object a client receives."""
        status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.list_metadata,
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = {key: value for key, value in self.details.items() if value != ""}
        return status


def not_found(resource: Resource, name: str) -> ApiError:
    """404 as a real API server words it."""
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', details=details)


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """409 for a write that was based on an old resourceVersion, or a precondition that does not hold."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return ApiError(409, "Conflict", message, details=details)


class Client(Protocol):
    """Every method raises `ApiError`; nothing is retried. `namespace` is "" for all namespaces or cluster scope."""

    async def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject: ...

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList: ...

    def watch(self, resource: Resource, namespace: str = "", *, since: str) -> AsyncIterator[WatchEvent]:
        """Yield every change after resourceVersion `since`; raises 410 `Expired` when that is too long ago."""
        ...

    async def create(self, resource: Resource, body: JsonObject) -> JsonObject: ...

    async def update(self, resource: Resource, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """Replace. With `metadata.resourceVersion` in `body` the write is conditional (409 `Conflict`)."""
        ...

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        patch: Any,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> JsonObject: ...

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        grace_s: int | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
        uid: str | None = None,
    ) -> None:
        """Ask for deletion; grace 0 removes a pod's object at once. `uid` is a precondition (409)."""
        ...


def copy_json(value: JsonObject) -> JsonObject:
    """Copy a JSON object deeply (three times faster than `copy.deepcopy` on Kubernetes objects)."""
    copied: JsonObject = orjson.loads(orjson.dumps(value))
    return copied


NAMESPACES = Resource("", "v1", "namespaces")
NODES = Resource("", "v1", "nodes")
PODS = Resource("", "v1", "pods")
SERVICES = Resource("", "v1", "services")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts")
CONFIG_MAPS = Resource("", "v1", "configmaps")
SECRETS = Resource("", "v1", "secrets")
EVENTS = Resource("", "v1", "events")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices")
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses")
INGRESS_CLASSES = Resource("networking.k8s.io", "v1", "ingressclasses")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
REPLICA_SETS = Resource("apps", "v1", "replicasets")
HORIZONTAL_POD_AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers")
POD_DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets")
VOLUME_CLAIMS = Resource("", "v1", "persistentvolumeclaims")
VOLUMES = Resource("", "v1", "persistentvolumes")
RUNTIME_CLASSES = Resource("node.k8s.io", "v1", "runtimeclasses")
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses")
CUSTOM_RESOURCE_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices")
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods")
NODE_METRICS = Resource("metrics.k8s.io", "v1beta1", "nodes")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies")

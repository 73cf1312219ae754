"""Which group versions are registered for other servers, by the APIServices in the store."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.aggregation import local_services
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores


@dataclass(frozen=True, slots=True)
class Registration:
    """One APIService that names a Service; `authority` is PEM, "" for what the machine trusts."""

    name: str
    group: str
    version: str
    group_priority: int
    version_priority: int
    namespace: str
    service: str
    port: int
    authority: str
    is_verified: bool

    @property
    def path(self) -> str:
        """Where the group version is served."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


class Registrations:
    """Follows the store; `revision` counts changes of what is registered."""

    def __init__(self, store: stores.Store, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._found: dict[tuple[str, str], Registration] = {}
        self._available: set[str] = set()
        self.revision = 0
        for stored in store.list(local_services.PLACE):
            self._take(stored.object)
        store.subscribe(self._on_stored)

    def all(self) -> list[Registration]:
        return list(self._found.values())

    def find(self, group: str, version: str) -> Registration | None:
        """The registration of a group version; None when this server answers for it, or nobody."""
        return self._found.get((group, version))

    def is_available(self, registration: Registration) -> bool:
        """Whether the server behind it was there when it was last looked for."""
        return registration.name in self._available

    def _on_stored(self, change: records.Change) -> None:
        if change.stored.group_resource != local_services.PLACE:
            return
        self._drop(change.stored.name)
        if change.type != "DELETED":
            self._take(change.stored.object)
        self.revision += 1
        self._on_change()

    def _drop(self, name: str) -> None:
        self._available.discard(name)
        self._found = {key: each for key, each in self._found.items() if each.name != name}

    def _take(self, obj: JsonObject) -> None:
        registration = parse(obj)
        if registration is None:
            return
        self._found[registration.group, registration.version] = registration
        if any(
            each["type"] == "Available" and each["status"] == "True"
            for each in (obj.get("status") or {}).get("conditions") or []
        ):
            self._available.add(registration.name)


def parse(obj: JsonObject) -> Registration | None:
    """Read a stored APIService; None when it names no Service."""
    spec = obj["spec"]
    service = spec.get("service")
    if service is None:
        return None
    return Registration(
        name=obj["metadata"]["name"],
        group=spec.get("group") or "",
        version=spec["version"],
        group_priority=spec["groupPriorityMinimum"],
        version_priority=spec["versionPriority"],
        namespace=service["namespace"],
        service=service["name"],
        port=service["port"],
        authority=_decoded(spec.get("caBundle") or ""),
        is_verified=not spec.get("insecureSkipTLSVerify"),
    )


def _decoded(bundle: str) -> str:
    """The PEM in a `caBundle`; what is none is found out when somebody is called."""
    try:
        return base64.b64decode(bundle, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return bundle

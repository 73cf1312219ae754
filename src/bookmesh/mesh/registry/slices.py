"""EndpointSlices, as far as they say where a service is served now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import JsonObject

_SERVICE_LABEL: Final = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Slice:
    """
    One EndpointSlice of a service; `service` is "" when it belongs to none. `ports` are (name of the service's port,
    number), `addresses` the ready ones; `unready` may become so, `draining` go away and still serve whom they know.
    Those that go away and do not serve are left out.
    """

    service: str
    namespace: str
    ports: tuple[tuple[str, int], ...] = ()
    addresses: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    draining: tuple[str, ...] = ()

    @property
    def all_addresses(self) -> tuple[str, ...]:
        return (*self.addresses, *self.unready, *self.draining)

    def hostname(self, domain: str) -> str:
        return f"{self.service}.{self.namespace}.svc.{domain}"


def build_slice(endpoint_slice: JsonObject) -> Slice:
    """Read an EndpointSlice object; a condition that is absent counts as true."""
    metadata = endpoint_slice["metadata"]
    found: dict[str, list[str]] = {"ready": [], "unready": [], "draining": [], "gone": []}
    for endpoint in endpoint_slice.get("endpoints") or ():
        found[_state(endpoint.get("conditions") or {})] += endpoint.get("addresses") or ()
    return Slice(
        service=(metadata.get("labels") or {}).get(_SERVICE_LABEL, ""),
        namespace=metadata.get("namespace", "default"),
        ports=tuple(
            (port.get("name") or "", port["port"])
            for port in endpoint_slice.get("ports") or ()
            if port.get("port")
        ),
        addresses=tuple(found["ready"]),
        unready=tuple(found["unready"]),
        draining=tuple(found["draining"]),
    )


def _state(conditions: JsonObject) -> str:
    if conditions.get("ready") is not False:
        return "ready"
    if conditions.get("terminating") is False:
        return "unready"
    return "gone" if conditions.get("serving") is False else "draining"

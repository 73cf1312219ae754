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
    number), `addresses` the ready ones.
    """

    service: str
    namespace: str
    ports: tuple[tuple[str, int], ...] = ()
    addresses: tuple[str, ...] = ()

    def hostname(self, domain: str) -> str:
        return f"{self.service}.{self.namespace}.svc.{domain}"


def build_slice(endpoint_slice: JsonObject) -> Slice:
    """Read an EndpointSlice object; `conditions.ready` counts as true when it is absent."""
    metadata = endpoint_slice["metadata"]
    return Slice(
        service=(metadata.get("labels") or {}).get(_SERVICE_LABEL, ""),
        namespace=metadata.get("namespace", "default"),
        ports=tuple(
            (port.get("name") or "", port["port"])
            for port in endpoint_slice.get("ports") or ()
            if port.get("port")
        ),
        addresses=tuple(
            address
            for endpoint in endpoint_slice.get("endpoints") or ()
            if (endpoint.get("conditions") or {}).get("ready") is not False
            for address in endpoint.get("addresses") or ()
        ),
    )

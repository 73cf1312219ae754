"""
Writing the gateway's addresses onto the Ingresses that this mesh serves: `status.loadBalancer`, as Istio does.

What an Ingress says already is read from the mirror, so nothing is written twice. Runs beside the push loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, Client, JsonObject

RETRY_PAUSE_S: Final = 1.0

_log = logging.getLogger(__name__)


class IngressAddresses:
    """Tell it the Ingresses and where they can be reached with `report`; `run` brings their statuses in line."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._wanted: tuple[tuple[JsonObject, ...], list[JsonObject]] = ((), [])
        self._wake = asyncio.Event()

    def report(self, served: Iterable[JsonObject], service: JsonObject | None) -> None:
        """`served` are the Ingresses of this mesh, `service` is that of its ingress gateway, None without one."""
        self._wanted = tuple(served), addresses_of(service)
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                for ingress in self._wanted[0]:
                    await self._write(ingress, self._wanted[1])
            except (ApiError, OSError) as error:
                _log.warning("writing addresses of Ingresses: %s; trying again", error)
                await asyncio.sleep(RETRY_PAUSE_S)
                self._wake.set()

    async def _write(self, ingress: JsonObject, addresses: Sequence[JsonObject]) -> None:
        metadata = ingress["metadata"]
        now = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        if now == addresses:
            return
        try:
            await self._client.patch(
                kubernetes.INGRESSES,
                metadata["name"],
                metadata.get("namespace", ""),
                {"status": {"loadBalancer": {"ingress": list(addresses)}}},
                subresource="status",
            )
        except ApiError as error:
            if error.code != 404:  # gone meanwhile
                raise


def addresses_of(service: JsonObject | None) -> list[JsonObject]:
    """
    List where a Service can be reached from outside.

    Returns:
        `{ip}` entries, then `{hostname}` entries, sorted as Istio sorts them.
    """
    if service is None:
        return []
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return [{"hostname": spec["externalName"]}]
    balancers = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    found = [{"ip": each["ip"]} if each.get("ip") else {"hostname": each["hostname"]} for each in balancers]
    found += [{"ip": address} for address in spec.get("externalIPs") or []]
    return sorted(found, key=lambda entry: (entry.get("hostname", ""), entry.get("ip", "")))

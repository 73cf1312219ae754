"""
NetworkPolicies as packet rules of the node's network, which everything between two pods passes. Pure.

A pod that a policy selects takes (or makes) only connections that some policy of it allows. Others are dropped, those
that began before, too. Addresses are those of pods, after the translation of service addresses. What comes from the
node itself, such as probes and what enters through ports of the host, is not filtered. The cluster's DNS server counts
as a pod of `kube-system` with the label `k8s-app: kube-dns`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from bookmesh.base import cluster
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.sandbox import nft
from bookmesh.kube.schema.semantics import workloads

TABLE: Final = "policies"
Direction = Literal["ingress", "egress"]
_PROTOCOLS: Final[dict[str, nft.Protocol]] = {"TCP": "tcp", "UDP": "udp"}
_TYPES: Final[dict[Direction, str]] = {"ingress": "Ingress", "egress": "Egress"}


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that has an address; `ports` by protocol and name."""

    namespace: str
    address: str
    labels: Mapping[str, str]
    ports: Mapping[tuple[str, str], int] = field(default_factory=dict)


DNS_SERVER: Final = Pod("kube-system", cluster.DNS_IP, {"k8s-app": "kube-dns"})


@dataclass(frozen=True, slots=True)
class _Ports:
    """Ports of one protocol, first to last; None is all of them."""

    protocol: nft.Protocol
    first: int | None
    last: int | None

    def parts(self) -> list[nft.Part]:
        match = [nft.protocol(self.protocol)]
        return match if self.first is None else [*match, nft.dport(self.first, self.last)]


def pod_of(obj: JsonObject) -> Pod | None:
    """Read a Pod object; None for one that has no address, or no longer."""
    status, metadata = obj.get("status") or {}, obj["metadata"]
    if not status.get("podIP") or status.get("phase") in ("Succeeded", "Failed"):
        return None
    ports = {
        (port.get("protocol", "TCP"), port["name"]): port["containerPort"]
        for container in (*obj["spec"]["containers"], *(obj["spec"].get("initContainers") or ()))
        for port in container.get("ports") or ()
        if port.get("name")
    }
    return Pod(metadata["namespace"], status["podIP"], metadata.get("labels") or {}, ports)


def build_table(
    policies: Iterable[JsonObject], pods: Sequence[Pod], namespaces: Mapping[str, Mapping[str, str]]
) -> nft.Table:
    """
    Build the rules; no policy, no chain.

    `namespaces` are the labels of namespaces by name. Equal input, in whatever order, gives an equal table.
    """
    known = sorted([*pods, DNS_SERVER], key=lambda pod: pod.address)
    listed = sorted(policies, key=lambda each: (each["metadata"]["namespace"], each["metadata"]["name"]))
    world = _World(tuple(known), namespaces)
    entrances: list[nft.Rule] = []
    chains: list[nft.Chain] = []
    for pod in sorted(pods, key=lambda each: each.address):
        for direction in ("egress", "ingress"):
            about = [each for each in listed if _is_about(each, pod, direction)]
            if about:
                name = f"{direction}/{pod.address}"
                match = nft.saddr if direction == "egress" else nft.daddr
                entrances.append(nft.rule(match(pod.address), nft.jump(name)))
                chains.append(nft.Chain(name, tuple(_rules(about, pod, direction, world))))
    if not entrances:
        return nft.Table(TABLE, ())
    first = nft.rule(nft.answer(), nft.accept())
    enforce = nft.Chain("pods", (first, *entrances))
    to_pods = (nft.rule(nft.jump("pods")),)
    hooks = (
        nft.Chain(point, to_pods, nft.Hook("filter", point, nft.FILTER)) for point in ("forward", "input")
    )
    return nft.Table(TABLE, (enforce, *chains, *hooks))


@dataclass(frozen=True, slots=True)
class _World:
    pods: tuple[Pod, ...]
    namespaces: Mapping[str, Mapping[str, str]]

    def selected(self, peer: JsonObject, own_namespace: str) -> Iterator[Pod]:
        """The pods that a peer with selectors means."""
        of_pods, of_namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
        for pod in self.pods:
            if of_namespaces is None:
                is_in = pod.namespace == own_namespace
            else:
                is_in = workloads.selector_matches(of_namespaces, self.namespaces.get(pod.namespace, {}))
            if is_in and (of_pods is None or workloads.selector_matches(of_pods, pod.labels)):
                yield pod


def _is_about(policy: JsonObject, pod: Pod, direction: Direction) -> bool:
    spec = policy["spec"]
    return (
        policy["metadata"]["namespace"] == pod.namespace
        and _TYPES[direction] in (spec.get("policyTypes") or ())
        and workloads.selector_matches(spec.get("podSelector") or {}, pod.labels)
    )


def _rules(
    policies: Iterable[JsonObject], pod: Pod, direction: Direction, world: _World
) -> Iterator[nft.Rule]:
    """What is allowed ends the chain, so that the other side's policies are asked, too; the rest is dropped."""
    match = nft.saddr if direction == "ingress" else nft.daddr
    yield nft.rule(match(pod.address), nft.return_())
    for policy in policies:
        for entry in policy["spec"].get(direction) or ():
            for address, ports in _allowed(entry, policy, pod, direction, world):
                place = [match(address)] if address else []
                yield nft.rule(*place, *(ports.parts() if ports else ()), nft.return_())
    yield nft.rule(nft.drop())


def _allowed(
    entry: JsonObject, policy: JsonObject, pod: Pod, direction: Direction, world: _World
) -> Iterator[tuple[str, _Ports | None]]:
    """Yield (network, ports) pairs; "" is every address, None every port and protocol."""
    peers = entry.get("from" if direction == "ingress" else "to")
    for address, other in _places(peers, policy["metadata"]["namespace"], world):
        target = pod if direction == "ingress" else other
        for port in entry.get("ports") or (None,):
            if port is None:
                yield address, None
            elif not isinstance(port.get("port"), str):
                if (numbers := _numbers(port)) is not None:
                    yield address, numbers
            elif target is not None:
                yield from _named(port, address, target)
            else:
                # A name for whatever has it: only pods do.
                for each in world.pods if not address else ():
                    yield from _named(port, each.address, each)


def _places(
    peers: Sequence[JsonObject] | None, namespace: str, world: _World
) -> Iterator[tuple[str, Pod | None]]:
    if not peers:
        yield "", None
    for peer in peers or ():
        if block := peer.get("ipBlock"):
            for part in networks_of(block["cidr"], block.get("except") or ()):
                yield part, None
        else:
            for pod in world.selected(peer, namespace):
                yield pod.address, pod


def networks_of(cidr: str, excepted: Iterable[str]) -> list[str]:
    """Write what is left of a network without some parts of it, as networks; nothing for one of IPv6."""
    whole = ipaddress.ip_network(cidr, strict=False)
    if whole.version != 4:
        return []
    left = [whole]
    for text in excepted:
        hole = ipaddress.IPv4Network(text, strict=False)
        left = [part for each in left for part in _without(each, hole)]
    return [str(part) for part in sorted(left)]


def _without(whole: ipaddress.IPv4Network, hole: ipaddress.IPv4Network) -> list[ipaddress.IPv4Network]:
    if whole.subnet_of(hole):
        return []
    return list(whole.address_exclude(hole)) if hole.subnet_of(whole) else [whole]


def _numbers(port: JsonObject) -> _Ports | None:
    """None for a protocol that pods of the lab cannot speak."""
    protocol = _PROTOCOLS.get(port.get("protocol", "TCP"))
    return None if protocol is None else _Ports(protocol, port.get("port"), port.get("endPort"))


def _named(port: JsonObject, address: str, target: Pod) -> Iterator[tuple[str, _Ports | None]]:
    name = port.get("protocol", "TCP")
    number, protocol = target.ports.get((name, port["port"])), _PROTOCOLS.get(name)
    if number is not None and protocol is not None:
        yield address, _Ports(protocol, number, None)

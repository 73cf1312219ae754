"""NetworkPolicies: selectors, peers, blocks of addresses and ports."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.semantics import workloads

_TYPES: Final = ("Ingress", "Egress")
_NO_CIDR: Final = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def check_policy(policy: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a policy."""
    spec = policy.get("spec") or {}
    found = workloads.check_selector("spec.podSelector", spec.get("podSelector") or {})
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or []):
            where = f"spec.{direction}[{index}]"
            for number, port in enumerate(rule.get("ports") or []):
                found += _check_port(f"{where}.ports[{number}]", port)
            for number, peer in enumerate(rule.get(peers) or []):
                found += _check_peer(f"{where}.{peers}[{number}]", peer)
    types = spec.get("policyTypes") or []
    if len(types) > len(_TYPES):
        found.append(causes.invalid("spec.policyTypes", types, "may not specify more than two policyTypes"))
        return found
    return found + [
        causes.not_supported(f"spec.policyTypes[{index}]", each, _TYPES)
        for index, each in enumerate(types)
        if each not in _TYPES
    ]


def _check_port(where: str, port: dict[str, Any]) -> list[Cause]:
    found: list[Cause] = []
    number, last = port.get("port"), port.get("endPort")
    if number is not None:
        found += names.check_port(f"{where}.port", number)
    if last is None:
        return found
    place = f"{where}.endPort"
    if number is None:
        found.append(causes.invalid(place, last, "may not be specified when `port` is not specified"))
    elif isinstance(number, str):
        found.append(causes.invalid(place, last, "may not be specified when `port` is non-numeric"))
    else:
        if last < number:
            found.append(causes.invalid(place, last, "must be greater than or equal to `port`"))
        if wrong := names.port_number(last):
            found.append(causes.invalid(place, last, wrong))
    return found


def _check_peer(where: str, peer: dict[str, Any]) -> list[Cause]:
    found: list[Cause] = []
    selectors = [field for field in ("podSelector", "namespaceSelector") if peer.get(field) is not None]
    for field in selectors:
        found += workloads.check_selector(f"{where}.{field}", peer[field])
    block = peer.get("ipBlock")
    if block is not None:
        found += _check_block(f"{where}.ipBlock", block)
        if selectors:
            found.append(causes.forbidden(where, "may not specify both ipBlock and another peer"))
    if not selectors and block is None:
        found.append(causes.required(where, "must specify a peer"))
    return found


def _check_block(where: str, block: dict[str, Any]) -> list[Cause]:
    text = block.get("cidr") or ""
    if not text:
        return [causes.required(f"{where}.cidr")]
    whole = _network(text)
    if whole is None:
        return [causes.invalid(f"{where}.cidr", text, _NO_CIDR)]
    found: list[Cause] = []
    for index, each in enumerate(block.get("except") or []):
        part, place = _network(each), f"{where}.except[{index}]"
        if part is None:
            found.append(causes.invalid(place, each, _NO_CIDR))
        elif part.version != whole.version or part == whole or not _is_within(part, whole):
            found.append(causes.invalid(place, each, f"must be a strict subset of `cidr` ({text})"))
    return found


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _is_within(
    part: ipaddress.IPv4Network | ipaddress.IPv6Network, whole: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    return part.prefixlen > whole.prefixlen and part.network_address in whole

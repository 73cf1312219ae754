"""
Which rule of a VirtualService made a route: its conditions are translated as the mesh does, and compared. Pure.

Rules that do not apply to a caller, by port, gateway or labels, made nothing for it; routes of delegates have two
places, the delegate's own and the one that hands on to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from google.protobuf import json_format

from bookmesh.cli.istioctl.dumps import JsonObject
from bookmesh.mesh.model import virtual_services
from bookmesh.mesh.snapshot import delegates, hosts
from bookmesh.mesh.translate import matches
from bookmesh.mesh.wire import route as wire

MESH: Final = "mesh"
_RULE: Final = re.compile(r"(spec\.(http|tcp|tls)\[(\d+)\])")
_Match = virtual_services.HttpMatchRequest


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Whose routes are looked at: namespace and labels of the proxy's pod, and the port a request comes in on; of a
    gateway also the Gateways that are for it, as `NAMESPACE/NAME`.
    """

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    is_gateway: bool = False
    gateways: frozenset[str] = frozenset()

    def comes_by(self, named: Sequence[str], namespace: str) -> bool:
        """Whether requests come in by one of the gateways that an object of a namespace names."""
        if not self.is_gateway:
            return MESH in named
        return any(name in self.gateways or f"{namespace}/{name}" in self.gateways for name in named)


@dataclass(frozen=True, slots=True)
class Entry:
    """One condition of one rule: the objects and fields it is written in, the rule's own first; `match` None: any."""

    match: _Match | None
    places: tuple[tuple[JsonObject, str], ...]


def find(
    owner: JsonObject, route: JsonObject, caller: Caller, everything: Sequence[JsonObject]
) -> Entry | None:
    """The condition of a VirtualService that `route` (of a config dump) was made from; None when it has changed."""
    wanted = json_format.ParseDict(route.get("match", {}), wire.RouteMatch(), ignore_unknown_fields=True)
    for entry in entries(owner, everything):
        root, _ = entry.places[-1]
        applies = entry.match is None or _applies(entry.match, caller, root["metadata"]["namespace"])
        if applies and is_made_from(wanted, entry.match):
            return entry
    return None


def is_made_from(built: wire.RouteMatch, match: _Match | None) -> bool:
    """Whether Envoy's condition is the one that a VirtualService's becomes."""
    return bool(built == matches.build_route_match(match))


def entries(owner: JsonObject, everything: Sequence[JsonObject]) -> Iterator[Entry]:
    """All conditions of a VirtualService's `http` rules in order, those of its delegates in their places."""
    namespace = owner["metadata"]["namespace"]
    for index, rule in enumerate(owner["spec"].get("http") or []):
        own = list(_conditions(owner, rule, f"spec.http[{index}]"))
        delegate = rule.get("delegate")
        if delegate is None:
            yield from own
            continue
        named = delegate.get("namespace") or namespace, delegate["name"]
        target = next((each for each in everything if _key(each) == named), None)
        for number, inner in enumerate((target or {"spec": {}})["spec"].get("http") or []):
            for other in _conditions(target, inner, f"spec.http[{number}]"):
                yield from (joined for one in own if (joined := _join(one, other)) is not None)


def connection_rules(owner: JsonObject, caller: Caller, server_name: str) -> Iterator[tuple[str, JsonObject]]:
    """The `tls` and `tcp` rules that may apply to a connection, with their places."""
    spec = owner["spec"]
    for kind in ("tls", "tcp"):
        for index, rule in enumerate(spec.get(kind) or []):
            conditions: list[JsonObject] = rule.get("match") or [{}]
            for number, match in enumerate(conditions):
                if not _applies_to_connection(match, caller, owner["metadata"]["namespace"]):
                    continue
                names = match.get("sniHosts") or []
                if kind == "tls" and not any(hosts.matches(name, server_name) for name in names):
                    continue
                place = f"spec.{kind}[{index}]"
                yield f"{place}.match[{number}]" if rule.get("match") else place, rule


def rule_at(path: str) -> tuple[str, str, int] | None:
    """Of a field path the rule it is in: (`spec.http[2]`, `http`, 2); None when it is in none."""
    found = _RULE.match(path)
    return (found[1], found[2], int(found[3])) if found else None


def _conditions(owner: JsonObject | None, rule: JsonObject, place: str) -> Iterator[Entry]:
    if owner is None:
        return
    if not rule.get("match"):
        yield Entry(None, ((owner, place),))
        return
    for number, match in enumerate(rule["match"]):
        try:
            parsed = msgspec.convert(match, _Match)
        except msgspec.ValidationError:
            continue  # such an object is not in force: what the proxy has is older
        yield Entry(parsed, ((owner, f"{place}.match[{number}]"),))


def _join(root: Entry, own: Entry) -> Entry | None:
    places = (*own.places, *root.places)
    if root.match is None or own.match is None:
        return Entry(own.match or root.match, places)
    both = delegates.join_matches(root.match, own.match)
    return Entry(both, places) if both is not None else None


def _applies(match: _Match, caller: Caller, namespace: str) -> bool:
    """Whether a condition is one for this caller; with gateways given, labels do not count."""
    if match.port and match.port != caller.port and not caller.is_gateway:
        return False
    if match.gateways:
        return caller.comes_by(match.gateways, namespace)
    if match.source_namespace and match.source_namespace != caller.namespace:
        return False
    return match.source_labels.items() <= caller.labels.items()


def _applies_to_connection(match: JsonObject, caller: Caller, namespace: str) -> bool:
    if match.get("port", caller.port) != caller.port and not caller.is_gateway:
        return False
    if match.get("gateways"):
        return caller.comes_by(match["gateways"], namespace)
    if match.get("sourceNamespace", caller.namespace) != caller.namespace:
        return False
    labels: Mapping[str, Any] = match.get("sourceLabels") or {}
    return labels.items() <= caller.labels.items()


def _key(found: JsonObject) -> tuple[str, str]:
    return found["metadata"]["namespace"], found["metadata"]["name"]

"""Rules of VirtualServices that are never reached, and destinations that say too little. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.cli.istioctl.analyzers import messages
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects
from bookmesh.mesh.snapshot import hosts

_KINDS = ("http", "tls", "tcp")


def check(objects: Objects) -> Iterator[Message]:
    """IST0112, IST0130, IST0131 and IST0132."""
    for rule in objects.of("VirtualService"):
        yield from _check_ports(rule, objects)
        yield from _check_reach(rule)
        yield from _check_gateways(rule, objects)


def _check_ports(owner: JsonObject, objects: Objects) -> Iterator[Message]:
    for path, destination in _destinations(owner):
        service = objects.service(destination.get("host", ""), owner["metadata"]["namespace"])
        ports = [port["port"] for port in (service or {"spec": {}})["spec"].get("ports") or []]
        if len(ports) > 1 and not (destination.get("port") or {}).get("number"):
            text = (
                f'This VirtualService routes to a service "{destination["host"]}" that exposes multiple ports '
                f"{messages.listed(ports)}. Specifying a port in the destination is required to disambiguate."
            )
            yield messages.about(owner, "Error", "IST0112", text, f"{path}.host")


def _destinations(owner: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for kind in _KINDS:
        for index, rule in enumerate(owner["spec"].get(kind) or []):
            for number, target in enumerate(rule.get("route") or []):
                if target.get("destination"):
                    yield f"spec.{kind}[{index}].route[{number}].destination", target["destination"]


def _check_reach(owner: JsonObject) -> Iterator[Message]:
    """Rules behind one that takes everything, and conditions that an earlier rule has already."""
    for kind in _KINDS:
        seen: list[tuple[str, JsonObject]] = []
        final: str | None = None
        for index, rule in enumerate(owner["spec"].get(kind) or []):
            name, path = rule.get("name") or f"#{index}", f"spec.{kind}[{index}]"
            matches = rule.get("match") or []
            if final is not None:
                reason = (
                    "only the last rule can have no matches"
                    if not matches
                    else f"rule {final} takes everything"
                )
                text = f"VirtualService rule {name} not used ({reason})."
                yield messages.about(owner, "Warning", "IST0130", text, path)
                continue
            repeated = [
                (number, other) for number, match in enumerate(matches) if (other := _earlier(match, seen))
            ]
            if matches and len(repeated) == len(matches):
                text = f"VirtualService rule {name} not used (all matches used by prior rules)."
                yield messages.about(owner, "Warning", "IST0130", text, path)
            else:
                for number, other in repeated:
                    text = (
                        f"VirtualService rule {name} match #{number} is not used (duplicate/overlapping match in rule "
                        f"{other})."
                    )
                    yield messages.about(owner, "Info", "IST0131", text, f"{path}.match[{number}]")
            seen += [(name, match) for match in matches]
            if not matches and not _is_empty(rule):
                final = name


def _is_empty(rule: JsonObject) -> bool:
    """A rule that only names a delegate may let requests through: the delegate's conditions are not looked at."""
    return "delegate" in rule


def _earlier(match: JsonObject, seen: list[tuple[str, JsonObject]]) -> str | None:
    """The rule that has this very condition, or an URI prefix that covers it and nothing else."""
    plain = {key: value for key, value in match.items() if key != "name"}
    for name, before in seen:
        other = {key: value for key, value in before.items() if key != "name"}
        if plain == other or _is_inside(plain, other):
            return name
    return None


def _is_inside(match: JsonObject, before: JsonObject) -> bool:
    prefix = (before.get("uri") or {}).get("prefix")
    if prefix is None or set(before) != {"uri"}:
        return False
    uri = match.get("uri") or {}
    text = uri.get("exact") or uri.get("prefix")
    return bool(text) and str(text).startswith(prefix)


def _check_gateways(owner: JsonObject, objects: Objects) -> Iterator[Message]:
    """A host of the rule that none of the servers of a gateway serves."""
    metadata, spec = owner["metadata"], owner["spec"]
    for index, name in enumerate(spec.get("gateways") or []):
        if name == "mesh":
            continue
        namespace, has_namespace, short = name.partition("/")
        gateway = objects.find(
            "Gateway", *((namespace, short) if has_namespace else (metadata["namespace"], name))
        )
        if gateway is None:
            continue
        served = [
            (entry.rpartition("/")[0], entry.rpartition("/")[2])
            for server in gateway["spec"].get("servers") or []
            for entry in server.get("hosts") or []
        ]
        own = (metadata["namespace"], gateway["metadata"]["namespace"])
        lost = [
            host for host in spec.get("hosts") or [] if not any(_serves(each, host, *own) for each in served)
        ]
        if lost:
            text = (
                f"one or more host {messages.listed(lost)} defined in VirtualService "
                f"{metadata['namespace']}/{metadata['name']} not found in Gateway {name}."
            )
            yield messages.about(owner, "Warning", "IST0132", text, f"spec.gateways[{index}]")


def _serves(entry: tuple[str, str], host: str, namespace: str, gateway_namespace: str) -> bool:
    scope, pattern = entry
    is_visible = scope in ("", "*", namespace) or (scope == "." and namespace == gateway_namespace)
    return is_visible and hosts.narrower(pattern, host) is not None

"""What routing rules do to the pods of a service, in the words of `istioctl experimental describe`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from bookmesh.mesh.snapshot import hosts

JsonObject = dict[str, Any]
DOMAIN: Final = "cluster.local"


def name_of(found: JsonObject, namespace: str) -> str:
    """A name, with the namespace behind it where that is another one."""
    metadata = found["metadata"]
    own = metadata.get("namespace", "")
    return str(metadata["name"]) if own == namespace else f"{metadata['name']}.{own}"


def hostname(service: JsonObject) -> str:
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{DOMAIN}"


def is_meant(host: str, owner: JsonObject, service: JsonObject) -> bool:
    """Whether a host written in an object is the service."""
    full = hostname(service)
    name = hosts.qualified(host, owner["metadata"]["namespace"], DOMAIN)
    return name in (full, full.removesuffix(f".{DOMAIN}"), full.removesuffix(f".svc.{DOMAIN}"))


def subsets_of(rule: JsonObject | None, labels: Sequence[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """Names of subsets that some pod is in, and of those that none is in."""
    matching: list[str] = []
    others: list[str] = []
    for subset in (rule["spec"].get("subsets") or []) if rule is not None else []:
        wanted = (subset.get("labels") or {}).items()
        (matching if any(wanted <= each.items() for each in labels) else others).append(subset["name"])
    return matching, others


def about_rule(
    rule: JsonObject, service: JsonObject, matching: list[str], others: list[str], namespace: str
) -> Iterator[str]:
    yield f'DestinationRule: {name_of(rule, namespace)} for "{rule["spec"]["host"]}"'
    if matching or others:
        if matching:
            yield f"   Matching subsets: {','.join(matching)}"
            if others:
                yield f"      (Non-matching subsets {','.join(others)})"
        else:
            yield f"   WARNING POD DOES NOT MATCH ANY SUBSETS.  (Non matching subsets {','.join(others)})"
    policy = rule["spec"].get("trafficPolicy")
    if policy is None:
        yield "   No Traffic Policy"
        return
    if policy.get("tls"):
        yield f"   Traffic Policy TLS Mode: {policy['tls'].get('mode', 'DISABLE')}"
    kinds = {
        "loadBalancer": "load balancer",
        "connectionPool": "connection pool",
        "outlierDetection": "outlier detection",
    }
    shown = [words for key, words in kinds.items() if policy.get(key)]
    if shown:
        yield f"   Policies: {'/'.join(shown)}"
    for index, level in enumerate(policy.get("portLevelSettings") or []):
        if index == 0:
            yield "   Port Level Settings:"
        yield f"    {level.get('port', {}).get('number')}:"
        if level.get("tls"):
            yield f"      TLS Mode: {level['tls'].get('mode', 'DISABLE')}"


def routings_for(service: JsonObject, rules: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """VirtualServices for calls inside the mesh to a service."""
    for rule in rules:
        gateways = rule["spec"].get("gateways") or ["mesh"]
        if "mesh" in gateways and any(
            is_meant(host, rule, service) for host in rule["spec"].get("hosts") or []
        ):
            yield rule


def about_routing(
    rule: JsonObject,
    service: JsonObject,
    subsets: tuple[list[str], list[str]],
    destination_rule: JsonObject | None,
    namespace: str,
) -> Iterator[str]:
    yield f"VirtualService: {name_of(rule, namespace)}"
    spec = rule["spec"]
    facts: list[str] = []
    notes: list[str] = []
    reached = 0
    for route in spec.get("http") or []:
        is_match, found = _http_facts(
            rule, route, service, subsets=subsets, destination_rule=destination_rule, namespace=namespace
        )
        reached += is_match
        (facts if is_match else notes).extend(found)
    for route in spec.get("tcp") or []:
        is_match = any(
            is_meant(each["destination"]["host"], rule, service) for each in route.get("route") or []
        )
        reached += is_match
    yield from (f"   {fact}" for fact in facts)
    counts = {kind: len(spec.get(kind) or []) for kind in ("http", "tls", "tcp")}
    if not reached:
        for kind in ("http", "tcp"):
            if counts[kind]:
                yield f"   WARNING: No destinations match pod subsets (checked {counts[kind]} {kind.upper()} routes)"
        yield from (f"      {note}" for note in notes)
    elif reached < sum(counts.values()):
        yield f"   {sum(counts.values()) - reached} additional destination(s) that will not reach this pod"
        if not facts:
            yield from (f"      {note}" for note in notes)
    elif not facts:
        for kind in ("http", "tcp"):
            if counts[kind]:
                yield f"   {counts[kind]} {kind.upper()} route(s)"


def _http_facts(
    rule: JsonObject,
    route: JsonObject,
    service: JsonObject,
    *,
    subsets: tuple[list[str], list[str]],
    destination_rule: JsonObject | None,
    namespace: str,
) -> tuple[bool, list[str]]:
    """Whether a route reaches the pods, with what is to be said about it; or why it does not."""
    facts, notes, is_match = [], [], False
    matching, others = subsets
    for target in route.get("route") or []:
        destination, weight = target["destination"], target.get("weight", 0)
        host, subset = destination["host"], destination.get("subset", "")
        if not is_meant(host, rule, service):
            ending = "with invalid config" if subset else f"with weight {weight}%"
            facts.append(f"Route to {host} {ending}" if subset else f'Route to host "{host}" {ending}')
            continue
        if subset in others and subset:
            notes.append(
                f"Route to non-matching subset {subset} for ({render_matches(route.get('match') or [])})"
            )
            continue
        if subset and subset not in matching:
            if destination_rule is None:
                notes.append(f"Warning: Route to subset {subset} but NO DESTINATION RULE defining subsets!")
            else:
                name = name_of(destination_rule, namespace)
                notes.append(f"Warning: Route to UNKNOWN subset {subset}; check DestinationRule {name}")
            continue
        is_match = True
        if weight:
            of_subset = f' subset "{subset}"' if subset else ""
            facts.append(f'Route to host "{host}"{of_subset} with weight {weight}%')
    if is_match:
        conditions = [f"Fault injection {_fault(route['fault'])}"] if route.get("fault") else []
        conditions += [render_match(match) for match in route.get("match") or []]
        if conditions:
            facts.append(", ".join(conditions))
    return is_match, facts if is_match or not notes else [*facts, *notes]


def _fault(fault: JsonObject) -> str:
    parts = []
    if fault.get("delay"):
        share = fault["delay"].get("percentage", {}).get("value", 0)
        parts.append(f"delay {fault['delay'].get('fixedDelay', '')} for {share:g}%")
    if fault.get("abort"):
        share = fault["abort"].get("percentage", {}).get("value", 100)
        parts.append(
            f"abort {fault['abort'].get('httpStatus', fault['abort'].get('grpcStatus', ''))} for {share:g}%"
        )
    return ", ".join(parts)


def render_matches(matches: Sequence[JsonObject]) -> str:
    return ", ".join(render_match(match) for match in matches) or "everything"


def render_match(match: JsonObject) -> str:
    """A condition in short: its path and its headers."""
    text = "Match: "
    if match.get("uri"):
        text += _render_text(match["uri"]) + (" uncased" if match.get("ignoreUriCase") else "")
    headers = "; ".join(
        f"{name}={_render_text(value)}" for name, value in (match.get("headers") or {}).items()
    )
    return (text + (f" when headers are {headers}" if headers else "")).strip()


def _render_text(match: JsonObject) -> str:
    if "exact" in match:
        return str(match["exact"])
    if "prefix" in match:
        return f"{match['prefix']}*"
    return f'regex:"{match["regex"]}"' if "regex" in match else "*"

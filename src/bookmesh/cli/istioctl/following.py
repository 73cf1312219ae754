"""A request followed through one Envoy: listener, filter chain, virtual host, route, cluster, endpoint. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.cli.istioctl import dumps, listeners, matching, sources, summaries
from bookmesh.cli.istioctl.dumps import JsonObject
from bookmesh.cli.istioctl.sources import Source

_FAULT: Final = "envoy.filters.http.fault"
_VIRTUAL: Final = "virtualOutbound"


@dataclass(frozen=True, slots=True)
class Step:
    """`stage` is the kind of thing, `name` which one, `why` what made Envoy take it; `sources` may be empty."""

    stage: str
    name: str
    why: str
    sources: tuple[Source, ...] = ()

    def as_json(self) -> dict[str, Any]:
        objects = [{"object": each.object, "field": each.field} for each in self.sources]
        return {"stage": self.stage, "name": self.name, "why": self.why, "sources": objects}


@dataclass(frozen=True, slots=True)
class Proxy:
    """The Envoy that is asked: what it has, and whether it is a gateway."""

    dump: dumps.Dump
    is_gateway: bool = False


def follow(proxy: Proxy, request: matching.Request, world: sources.World) -> Iterator[Step]:
    """Yield the steps of a request; the last one says why, where it goes no further."""
    found = proxy.dump.listeners()
    listener = matching.pick_listener(found, request)
    if listener is not None:
        place = f"{listeners.address_of(listener)}:{listeners.port_of(listener)}"
        why = f"connections to {request.address or 'any address'}:{request.port}, listener at {place}"
    else:
        listener = next((one for one in found if one.get("name") == _VIRTUAL), None)
        why = f"no listener is for {request.address or request.host}:{request.port}"
    if listener is None:
        yield Step("listener", "none", f"nobody listens on port {request.port}; the connection is refused")
        return
    yield Step(
        "listener", listener.get("name", ""), why, sources.of_service(world, request.host, request.port)
    )
    chain = matching.pick_chain(listener, request)
    if chain is None:
        yield Step("filter chain", "none", "no filter chain takes it; the connection is closed")
        return
    name = chain.get("name") or ("default" if chain is listener.get("default_filter_chain") else "unnamed")
    yield Step(
        "filter chain", name, f"{listeners.describe_chain_match(chain)} -> {listeners.destination(chain)}"
    )
    manager = listeners.connection_manager(chain)
    if manager is None:
        yield from _clusters(proxy, world, [(listeners.tcp_cluster(chain), "bytes are passed on", None)])
        return
    yield from _through_routes(proxy, manager, request, world)


def _through_routes(
    proxy: Proxy, manager: JsonObject, request: matching.Request, world: sources.World
) -> Iterator[Step]:
    name = manager.get("rds", {}).get("route_config_name", "")
    config = manager.get("route_config") or next(
        (c for c in proxy.dump.routes() if c.get("name") == name), None
    )
    if config is None:
        yield Step("virtual host", "none", f"the route configuration {name} has not arrived; 404")
        return
    picked = matching.pick_virtual_host(config, request)
    if picked is None:
        yield Step("virtual host", "none", f"no domain in {config.get('name')} fits {request.authority}; 404")
        return
    host, domain = picked
    where = f'domain "{domain}" in route configuration {config.get("name", "")}'
    yield Step("virtual host", host["name"], where, sources.of_service(world, request.host, request.port))
    position = matching.pick_route(host, request)
    if position is None:
        yield Step("route", "none", "no route takes the request; 404")
        return
    route = host["routes"][position]
    rule = sources.of_route(world, host, position, port=request.port, is_gateway=proxy.is_gateway)
    label = route.get("name") or f"route {position + 1} of {len(host['routes'])}"
    yield Step("route", label, describe_route(route), rule)
    yield from _act(proxy, route, rule, world)


def _act(proxy: Proxy, route: JsonObject, rule: tuple[Source, ...], world: sources.World) -> Iterator[Step]:
    """What the route does: an answer of its own, or clusters."""
    if "redirect" in route:
        yield Step("answer", "redirect", _brief(route["redirect"]), rule)
        return
    if "direct_response" in route:
        yield Step(
            "answer", f"status {route['direct_response'].get('status')}", "answered by the proxy itself", rule
        )
        return
    action = route.get("route", {})
    targets = [(action["cluster"], "all requests")] if "cluster" in action else []
    weighted = action.get("weighted_clusters", {}).get("clusters", [])
    total = sum(each.get("weight", 0) for each in weighted)
    targets += [(each["name"], f"{100 * each.get('weight', 0) / total:g} % of requests") for each in weighted]
    yield from _clusters(proxy, world, [(name, why, rule[0] if rule else None) for name, why in targets])


def _clusters(
    proxy: Proxy, world: sources.World, targets: list[tuple[str, str, Source | None]]
) -> Iterator[Step]:
    known = {cluster["name"]: cluster for cluster in proxy.dump.clusters()}
    assigned = {each.get("cluster_name"): each for each in proxy.dump.assignments()}
    for name, why, rule in targets:
        behind = sources.of_destination(world, rule, name) if rule is not None else ()
        cluster = known.get(name)
        if cluster is None:
            yield Step("cluster", name, f"{why}; the proxy does not have it: 503", behind)
            continue
        yield Step("cluster", name, why, (*behind, *sources.of_cluster(world, name)))
        kind = cluster.get("type", "STATIC")
        if kind == "ORIGINAL_DST":
            yield Step("endpoint", "original destination", "the address that was called")
            continue
        assignment = assigned.get(name) or cluster.get("load_assignment", {})
        yield from _endpoints(assignment, world)


def _endpoints(assignment: JsonObject, world: sources.World) -> Iterator[Step]:
    found = [each for group in assignment.get("endpoints", []) for each in group.get("lb_endpoints", [])]
    for each in found:
        address, port = summaries.endpoint_address(each.get("endpoint", {}))
        health = str(each.get("health_status", "HEALTHY")).lower()
        yield Step(
            "endpoint", f"{address}:{port}" if port else address, health, sources.of_endpoint(world, address)
        )
    if not found:
        yield Step("endpoint", "none", "the cluster has no endpoints: 503 no healthy upstream")


def describe_route(route: JsonObject) -> str:
    """What a route asks for, and what it does besides routing."""
    match = route.get("match", {})
    asked = [summaries.describe_match(match) or "any path"]
    asked += [_describe_header(each) for each in match.get("headers", [])]
    asked += [f"?{each['name']}" for each in match.get("query_parameters", [])]
    action, extras = route.get("route", {}), []
    if action.get("timeout") not in (None, "0s"):
        extras.append(f"timeout {action['timeout']}")
    if action.get("prefix_rewrite"):
        extras.append(f"rewritten to {action['prefix_rewrite']}")
    if action.get("request_mirror_policies"):
        extras.append(
            f"mirrored to {', '.join(each['cluster'] for each in action['request_mirror_policies'])}"
        )
    fault = route.get("typed_per_filter_config", {}).get(_FAULT)
    if fault:
        extras.append(f"fault {_brief({key: fault[key] for key in ('delay', 'abort') if key in fault})}")
    return "; ".join([", ".join(asked), *extras])


def _describe_header(matcher: JsonObject) -> str:
    text = matcher.get("string_match", {})
    kind = next(iter(text), "")
    value = text.get(kind, "")
    value = value.get("regex", "") if isinstance(value, dict) else value
    sign = "not " if matcher.get("invert_match") else ""
    return f"{sign}{matcher['name']} {kind} {value}".strip() if kind else f"{sign}{matcher['name']} present"


def _brief(message: JsonObject) -> str:
    return ", ".join(
        f"{key} {_brief(value) if isinstance(value, dict) else value}" for key, value in message.items()
    )

"""A request followed through one Envoy, as far as bytes go: interception, listener, filter chain. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.cli.explain import callers, describing, forwarding, http_routing, matching, outcomes, sources
from bookmesh.cli.explain.outcomes import Outcome
from bookmesh.cli.explain.requests import Request
from bookmesh.cli.explain.trails import Proxy, Step, Trail
from bookmesh.cli.istioctl import listeners
from bookmesh.cli.istioctl.dumps import JsonObject
from bookmesh.mesh.injection.interception import InterceptionRules

_VIRTUAL: Final = "virtualOutbound"


@dataclass(frozen=True, slots=True)
class Explanation:
    steps: tuple[Step, ...]
    outcome: Outcome

    def as_json(self) -> dict[str, Any]:
        return {"steps": [step.as_json() for step in self.steps], "outcome": self.outcome.as_json()}


def follow(proxy: Proxy, request: Request, world: sources.World) -> Explanation:
    """Follow a request to its endpoints; the last step says why, where it goes no further."""
    trail = Trail(proxy, request, world)
    outcome = _connect(trail)
    return Explanation(tuple(trail.steps), outcome)


def _connect(trail: Trail) -> Outcome:
    request = trail.request
    misspelt = "" if trail.proxy.is_gateway else callers.why_unknown(request, trail.world)
    if misspelt:
        trail.add("name", request.host, misspelt)
    bypass = why_not_intercepted(trail.proxy.rules, request)
    if bypass:
        trail.add("interception", "none", f"{bypass}; the connection goes where it points, past the proxy")
        return Outcome("direct")
    listener, why = _pick_listener(trail)
    if listener is None:
        trail.add("listener", "none", f"nobody listens on port {request.port}; the connection is refused")
        return outcomes.closed(f"no listener on port {request.port}")
    trail.add(
        "listener", listener.get("name", ""), why, sources.of_listener(trail.world, request, trail.place)
    )
    chain = matching.pick_chain(listener, request)
    if chain is None:
        trail.add("filter chain", "none", "no filter chain takes it; the connection is closed")
        return outcomes.closed("no filter chain takes the connection")
    is_default = chain is listener.get("default_filter_chain")
    name = chain.get("name") or ("default" if is_default else "unnamed")
    trail.add("filter chain", name, _describe_chain(chain), _chain_sources(trail, chain))
    manager = listeners.connection_manager(chain)
    if manager is None:
        return _pass_on(trail, chain)
    if not request.is_http:
        trail.add(
            "route", "none", "the proxy expects HTTP here; other bytes get 400 and the connection is closed"
        )
        return outcomes.answered(400, "what comes is not HTTP")
    return http_routing.through_routes(trail, manager)


def why_not_intercepted(rules: InterceptionRules | None, request: Request) -> str:
    """Why a connection does not go through the proxy of its pod; "" when it does."""
    if request.address and ipaddress.ip_address(request.address).is_loopback and not _is_balanced(request):
        return f"{request.address} is the pod itself"
    if rules is None:
        return ""
    if request.port in rules.exclude_outbound_ports:
        return f"annotation traffic.sidecar.istio.io/excludeOutboundPorts names port {request.port}"
    if not request.address:
        return ""
    if _is_in(request.address, rules.exclude_outbound_ranges):
        return f"annotation traffic.sidecar.istio.io/excludeOutboundIPRanges covers {request.address}"
    included = rules.include_outbound_ranges
    if included is None or request.port in rules.include_outbound_ports:
        return ""
    if not _is_in(request.address, included):
        return f"annotation traffic.sidecar.istio.io/includeOutboundIPRanges leaves {request.address} out"
    return ""


def _is_balanced(request: Request) -> bool:
    """A load balancer's address, which leads out of the pod though it looks like loopback."""
    return not request.address.startswith("127.0.0.")


def _is_in(address: str, ranges: tuple[str, ...]) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(each, strict=False) for each in ranges)


def _pick_listener(trail: Trail) -> tuple[JsonObject | None, str]:
    request, found = trail.request, trail.proxy.dump.listeners()
    listener = matching.pick_listener(found, request)
    if listener is not None:
        place = f"{listeners.address_of(listener)}:{listeners.port_of(listener)}"
        where = f"{request.address or 'any address'}:{request.port}"
        return listener, f"connections to {where}, listener at {place}"
    why = f"no listener is for {request.address or request.host}:{request.port}"
    if known := sources.ports_of(trail.world, request.host):
        why += f"; ports of Service {request.host.partition('.')[0]}: {', '.join(map(str, known))}"
    return next((one for one in found if one.get("name") == _VIRTUAL), None), why


def _describe_chain(chain: JsonObject) -> str:
    parts = [f"{listeners.describe_chain_match(chain)} -> {listeners.destination(chain)}"]
    tls = describing.describe_server_tls(chain)
    if tls:
        parts.append(tls)
    return "; ".join(parts)


def _chain_sources(trail: Trail, chain: JsonObject) -> tuple[sources.Source, ...]:
    """The rule of a VirtualService for connections, or the server of a Gateway that ends TLS."""
    if listeners.connection_manager(chain) is None:
        names = [name for name, _ in listeners.tcp_clusters(chain)]
        return sources.of_connection(trail.world, trail.request, trail.place, names)
    return sources.of_server(trail.world, trail.request, trail.place)


def _pass_on(trail: Trail, chain: JsonObject) -> Outcome:
    targets = listeners.tcp_clusters(chain)
    if not targets:
        trail.add("cluster", "none", "the filter chain passes nothing on; the connection is closed")
        return outcomes.closed("the filter chain passes nothing on")
    total = sum(weight for _, weight in targets)
    rule = sources.of_connection(trail.world, trail.request, trail.place, [name for name, _ in targets])
    shares = [forwarding.Share(name, 100.0 * weight / total, "connections") for name, weight in targets]
    return forwarding.forward(trail, shares, rule, is_http=False)

"""
Routes of connections: VirtualService `tcp[]` and `tls[]` -> TCP proxies, each with the connections it is for.

`tls` rules are about TLS that is not ended here: the name in the greeting decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from bookmesh.mesh.model import internal, virtual_services
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.translate import dynamic_forwarding, filters, naming, routes
from bookmesh.mesh.wire import core
from bookmesh.mesh.wire import listener as wire

NamesFor = Callable[[Iterable[str]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ConnectionRoute:
    """
    Where connections go. `server_names` are names in a TLS greeting, with or without a leading wildcard, () for all;
    `destinations` and `sources` are CIDR ranges, () for all.
    """

    targets: tuple[tuple[str, int], ...]
    name: str
    server_names: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def takes_everything(self) -> bool:
        return not (self.server_names or self.destinations or self.sources)

    def build_match(self) -> wire.FilterChainMatch:
        match = wire.FilterChainMatch(
            server_names=self.server_names,
            prefix_ranges=[cidr_range(text) for text in self.destinations],
            source_prefix_ranges=[cidr_range(text) for text in self.sources],
        )
        if self.server_names:
            match.transport_protocol = "tls"
        return match


def build_tcp_routes(rule: routing.Routing, place: routes.Place) -> list[ConnectionRoute]:
    """
    Build the `tcp` routes of a VirtualService that apply at a place, in order; nothing follows one that takes all.

    Source: VirtualService `tcp[]`.
    """
    found: list[ConnectionRoute] = []
    for route in rule.spec.tcp:
        targets = _targets(route.route, rule, place)
        for match in route.match or (virtual_services.L4MatchAttributes(),):
            if not targets or not _applies(match, rule, place):
                continue
            found.append(
                ConnectionRoute(
                    targets=targets,
                    name=_name(rule),
                    destinations=match.destination_subnets,
                    sources=(match.source_subnet,) if match.source_subnet else (),
                )
            )
            if found[-1].takes_everything:
                return found
    return found


def build_tls_routes(
    rule: routing.Routing, place: routes.Place, *, names_for: NamesFor = tuple
) -> list[ConnectionRoute]:
    """
    Build the `tls` routes of a VirtualService that apply at a place, in order.

    `names_for` keeps, of the names that a route asks for, the ones that are served at the place.

    Source: VirtualService `tls[]`.
    """
    found: list[ConnectionRoute] = []
    for route in rule.spec.tls:
        targets = _targets(route.route, rule, place)
        for match in route.match:
            names = tuple(dict.fromkeys(name.lower() for name in names_for(match.sni_hosts)))
            if not targets or not names or not _applies(match, rule, place):
                continue
            found.append(
                ConnectionRoute(
                    targets=targets,
                    name=_name(rule),
                    server_names=() if "*" in names else names,
                    destinations=match.destination_subnets,
                )
            )
    return found


def build_filters(route: ConnectionRoute, place: routes.Place) -> list[wire.Filter]:
    """
    The TCP proxy of a route, and before it what looks up the name in the greeting, where a destination needs that. Of
    several destinations the rule for the first one says how connections are made.
    """
    settings, is_split = place.scope.settings, len(route.targets) > 1
    options = place.scope.tcp_options(route.targets[0][0], is_split=is_split)
    looked_up = [
        port for port in map(place.scope.looked_up_port, (name for name, _ in route.targets)) if port
    ]
    before = [dynamic_forwarding.sni_filter(looked_up[0])] if looked_up and route.server_names else []
    if not is_split:
        return [*before, filters.tcp_proxy(route.targets[0][0], settings, options=options)]
    return [*before, filters.tcp_split(route.targets, settings, stat_prefix=route.name, options=options)]


def cidr_range(text: str) -> core.CidrRange:
    """An address with or without a prefix length."""
    network = ip_network(text, strict=False)
    result = core.CidrRange(address_prefix=str(network.network_address))
    result.prefix_len.value = network.prefixlen
    return result


def _targets(
    destinations: Sequence[virtual_services.RouteDestination], rule: routing.Routing, place: routes.Place
) -> tuple[tuple[str, int], ...]:
    """Clusters with weights, without those of weight 0 unless there is only one; one without endpoints for nowhere."""
    is_single = len(destinations) == 1
    return tuple(
        (
            place.scope.destination_cluster(rule, target.destination, listen_port=place.port)
            if target.destination != internal.NOWHERE
            else naming.BLACKHOLE,
            target.weight or 1,
        )
        for target in destinations
        if is_single or target.weight > 0
    )


def _applies(
    match: virtual_services.L4MatchAttributes | virtual_services.TlsMatchAttributes,
    rule: routing.Routing,
    place: routes.Place,
) -> bool:
    """Sort out what the proxy alone decides. With gateways given, labels do not count."""
    if match.port and match.port != place.port:
        return False
    if match.gateways:
        return place.gateway in {
            routing.qualified_gateway(name, rule.ref.namespace) for name in match.gateways
        }
    if match.source_namespace and match.source_namespace != place.scope.namespace:
        return False
    labels: Mapping[str, str] = match.source_labels
    return labels.items() <= place.scope.labels.items()


def _name(rule: routing.Routing) -> str:
    return f"{rule.ref.name}.{rule.ref.namespace}"

"""Route configurations, virtual hosts and routes."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.translate.patching import applying, merging
from bookmesh.mesh.wire import route as wire


def patch(config: Any, place: applying.Place) -> None:
    """Change a route configuration in place."""
    for change in place.changes("ROUTE_CONFIGURATION", merging.MERGES):
        if _is_meant(config, change, place):
            merging.merge(config, change.value, change.operation)
    kept = [host for host in config.virtual_hosts if _patch_host(config, host, place)]
    if len(kept) != len(config.virtual_hosts):
        copies = [wire.VirtualHost.FromString(host.SerializeToString()) for host in kept]
        del config.virtual_hosts[:]
        config.virtual_hosts.extend(copies)
    for change in place.changes("VIRTUAL_HOST", ["ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"]):
        if _is_meant(config, change, place):
            config.virtual_hosts.append(change.value)


def _patch_host(config: Any, host: Any, place: applying.Place) -> bool:
    """Change a virtual host in place; False when it is removed."""
    for change in place.changes("VIRTUAL_HOST"):
        if not (_is_meant(config, change, place) and _is_host_meant(host, change)):
            continue
        if change.operation == "REMOVE":
            return False
        if change.operation in merging.MERGES:
            merging.merge(host, change.value, change.operation)
        elif change.operation == "REPLACE":
            host.CopyFrom(change.value)
    _patch_routes(config, host, place)
    return True


def _patch_routes(config: Any, host: Any, place: applying.Place) -> None:
    """First what is there is changed or removed, then routes are added."""
    meant = [
        change
        for change in place.changes("HTTP_ROUTE")
        if _is_meant(config, change, place) and _is_host_meant(host, change)
    ]
    routes = [wire.Route.FromString(route.SerializeToString()) for route in host.routes]
    kept = [route for route in routes if _patch_route(route, meant)]
    for change in meant:
        _insert(kept, change)
    if meant:
        del host.routes[:]
        host.routes.extend(kept)


def _patch_route(route: Any, changes: list[applying.Change]) -> bool:
    for change in changes:
        if not _is_route_meant(route, change):
            continue
        if change.operation == "REMOVE":
            return False
        if change.operation in merging.MERGES:
            merging.merge(route, change.value, change.operation)
    return True


def _insert(routes: list[Any], change: applying.Change) -> None:
    """With a condition on routes nothing is inserted where no route meets it."""
    has_match = (
        change.routes is not None
        and change.routes.vhost is not None
        and change.routes.vhost.route is not None
    )
    found = next((i for i, route in enumerate(routes) if _is_route_meant(route, change)), None)
    if change.operation == "ADD" or (change.operation == "INSERT_AFTER" and not has_match):
        routes.append(change.value)
    elif change.operation in ("INSERT_BEFORE", "INSERT_FIRST") and not has_match:
        routes.insert(0, change.value)
    elif found is None:
        return
    elif change.operation == "INSERT_AFTER":
        routes.insert(found + 1, change.value)
    elif change.operation == "INSERT_BEFORE":
        routes.insert(found, change.value)
    elif change.operation == "INSERT_FIRST":
        routes.insert(0, change.value)


def _is_meant(config: Any, change: applying.Change, place: applying.Place) -> bool:
    match = change.routes
    if match is None:
        return True
    if match.name and match.name != config.name:
        return False
    if place.context != "GATEWAY":
        return match.port_number in (0, _port_of(config.name))
    port, port_name, gateway = _gateway_parts(config.name)
    if match.port_name not in ("", port_name) or match.gateway not in ("", gateway):
        return False
    numbers = dict(place.gateway_ports).get(port, (port,))
    return not match.port_number or match.port_number in numbers


def _port_of(name: str) -> int:
    """The port of a sidecar's routes: `9080`, or `inbound|9080||`."""
    text = name.split("|")[1] if name.startswith("inbound|") else name
    return int(text) if text.isdecimal() else 0


def _gateway_parts(name: str) -> tuple[int, str, str]:
    """(port, port name, NAMESPACE/NAME) of a gateway's routes: `http.8080` or `https.443.PORT.GATEWAY.NAMESPACE`."""
    parts = name.split(".")
    port = int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 0
    if parts[0] == "https" and len(parts) >= 5:
        return port, parts[2], f"{parts[-1]}/{'.'.join(parts[3:-1])}"
    return port, "", ""


def _is_host_meant(host: Any, change: applying.Change) -> bool:
    wanted = change.routes.vhost if change.routes is not None else None
    if wanted is None:
        return True
    return wanted.name in ("", host.name) and (not wanted.domain_name or wanted.domain_name in host.domains)


def _is_route_meant(route: Any, change: applying.Change) -> bool:
    host = change.routes.vhost if change.routes is not None else None
    wanted = host.route if host is not None else None
    if wanted is None:
        return True
    if wanted.name not in ("", route.name):
        return False
    action = route.WhichOneof("action")
    is_known = action in ("route", "redirect", "direct_response")
    return wanted.action in (None, "ANY") or not is_known or wanted.action == action.upper()

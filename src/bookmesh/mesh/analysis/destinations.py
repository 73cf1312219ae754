"""Every place in a VirtualService that names a destination."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.mesh.model import matching, virtual_services


def destinations_in(
    spec: virtual_services.VirtualService,
) -> Iterator[tuple[str, matching.Destination]]:
    """Yield (field path, destination), in the order of the YAML."""
    for index, route in enumerate(spec.http):
        path = f"spec.http[{index}]"
        for number, target in enumerate(route.route):
            yield f"{path}.route[{number}].destination", target.destination
        if route.mirror is not None:
            yield f"{path}.mirror", route.mirror
        for number, mirror in enumerate(route.mirrors):
            yield f"{path}.mirrors[{number}].destination", mirror.destination
    rules = [(f"spec.tls[{index}]", rule.route) for index, rule in enumerate(spec.tls)]
    rules += [(f"spec.tcp[{index}]", rule.route) for index, rule in enumerate(spec.tcp)]
    for path, targets in rules:
        for number, connection_target in enumerate(targets):
            yield f"{path}.route[{number}].destination", connection_target.destination

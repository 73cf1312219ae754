"""
Routes that one VirtualService hands on to another: the delegate's routes take the place of the one that names it.

A request must meet the conditions of both. Conditions that exclude each other make no route. What the delegate does not
set, such as a timeout, comes from the route that names it. Delegates have no hosts, and do not delegate themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from bookmesh.mesh.model import matching, parsing, virtual_services
from bookmesh.mesh.snapshot import configs, hosts

_INHERITED = (
    "rewrite",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirror_percentage",
    "cors_policy",
    "headers",
)
T = TypeVar("T")


def delegates_in(found: Iterable[parsing.Parsed]) -> dict[tuple[str, str], parsing.Parsed]:
    """VirtualServices without hosts, by (namespace, name)."""
    return {
        (parsed.metadata.namespace, parsed.metadata.name): parsed
        for parsed in found
        if isinstance(parsed.spec, virtual_services.VirtualService) and not parsed.spec.hosts
    }


def is_delegating(found: configs.Configs) -> bool:
    """Whether any VirtualService hands routes on, or takes them: then one may depend on another."""
    return bool(found.facts(virtual_services.VirtualService, _part_in_delegation))


def _part_in_delegation(parsed: parsing.Parsed) -> tuple[str, ...]:
    spec = parsed.spec
    if not isinstance(spec, virtual_services.VirtualService):
        return ()
    return ("part",) if not spec.hosts or any(route.delegate is not None for route in spec.http) else ()


def resolve(
    spec: virtual_services.VirtualService,
    namespace: str,
    delegates: Mapping[tuple[str, str], parsing.Parsed],
    *,
    domain: str,
) -> tuple[virtual_services.VirtualService | None, tuple[parsing.Parsed, ...]]:
    """
    Put the routes of delegates in place; gives the result and the delegates that were used, in order.

    The result is None when no route is left.
    """
    if all(route.delegate is None for route in spec.http):
        return spec, ()
    merged: list[virtual_services.HttpRoute] = []
    used: list[parsing.Parsed] = []
    for route in spec.http:
        if route.delegate is None:
            merged.append(route)
            continue
        found = delegates.get((route.delegate.namespace or namespace, route.delegate.name))
        if found is None or not isinstance(found.spec, virtual_services.VirtualService):
            continue
        used.append(found)
        for own in found.spec.http:
            joined = _join(route, own)
            if joined is not None:
                merged.append(_qualified(joined, found.metadata.namespace, domain))
    if not (merged or spec.tls or spec.tcp):
        return None, tuple(used)
    return msgspec.structs.replace(spec, http=tuple(merged)), tuple(used)


def _join(
    root: virtual_services.HttpRoute, own: virtual_services.HttpRoute
) -> virtual_services.HttpRoute | None:
    """The delegate's route under the conditions of both; None when no request can meet them."""
    if own.delegate is not None:
        return None
    if root.match and own.match:
        found = (join_matches(one, other) for one in root.match for other in own.match)
        match = tuple(both for both in found if both is not None)
        if not match:
            return None
    else:
        match = root.match or own.match
    names = "-".join(name for name in (root.name, own.name) if name)
    inherited = {
        field: getattr(root, field)
        for field in _INHERITED
        if getattr(own, field) is None and getattr(root, field) is not None
    }
    mirrors = own.mirrors or root.mirrors
    return msgspec.structs.replace(own, match=match, name=names, mirrors=mirrors, **inherited)


def join_matches(
    root: virtual_services.HttpMatchRequest, own: virtual_services.HttpMatchRequest
) -> virtual_services.HttpMatchRequest | None:
    """Both conditions at once; None when they exclude each other."""
    try:
        return msgspec.structs.replace(
            own,
            name="-".join(name for name in (root.name, own.name) if name),
            uri=_narrower(root.uri, own.uri),
            scheme=_narrower(root.scheme, own.scheme),
            method=_narrower(root.method, own.method),
            authority=_narrower(root.authority, own.authority),
            headers=_join_maps(root.headers, own.headers),
            query_params=_join_maps(root.query_params, own.query_params),
            without_headers=_join_maps(root.without_headers, own.without_headers),
            port=_same(root.port, own.port),
            source_labels={
                key: _same(root.source_labels.get(key, ""), own.source_labels.get(key, ""))
                for key in {**root.source_labels, **own.source_labels}
            },
            source_namespace=_same(root.source_namespace, own.source_namespace),
            gateways=_join_gateways(root.gateways, own.gateways),
            ignore_uri_case=root.ignore_uri_case or own.ignore_uri_case,
        )
    except _ExcludedError:
        return None


class _ExcludedError(Exception):
    """Two conditions that cannot hold together."""


def _same(one: T, other: T) -> T:
    """The value that is set; both may be when they are equal."""
    if one and other and one != other:
        raise _ExcludedError
    return other or one


def _join_gateways(root: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    if not (root and own):
        return root or own
    both = tuple(name for name in own if name in root)
    if not both:
        raise _ExcludedError
    return both


def _join_maps(
    root: Mapping[str, matching.StringMatch], own: Mapping[str, matching.StringMatch]
) -> dict[str, matching.StringMatch]:
    joined = dict(root)
    for name, match in own.items():
        both = _narrower(root.get(name), match)
        joined[name] = both if both is not None else match
    return joined


def _narrower(
    root: matching.StringMatch | None, own: matching.StringMatch | None
) -> matching.StringMatch | None:
    """The condition that says more. Of regular expressions nothing is known, so they go with equal ones only."""
    if root is None or own is None or root == own:
        return own if own is not None else root
    text = own.exact if own.exact is not None else own.prefix
    if text is None or root.regex is not None:
        raise _ExcludedError
    if root.prefix is not None and text.startswith(root.prefix):
        return own
    if root == matching.StringMatch():
        return own
    raise _ExcludedError


def _qualified(route: virtual_services.HttpRoute, namespace: str, domain: str) -> virtual_services.HttpRoute:
    """Short names in a delegate are those of its own namespace."""

    def whole(destination: matching.Destination) -> matching.Destination:
        return msgspec.structs.replace(destination, host=hosts.qualified(destination.host, namespace, domain))

    return msgspec.structs.replace(
        route,
        route=tuple(msgspec.structs.replace(t, destination=whole(t.destination)) for t in route.route),
        mirror=whole(route.mirror) if route.mirror is not None else None,
        mirrors=tuple(msgspec.structs.replace(m, destination=whole(m.destination)) for m in route.mirrors),
    )

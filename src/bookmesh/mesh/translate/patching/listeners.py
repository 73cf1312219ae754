"""Listeners, their filters and filter chains, and the HTTP filters inside connection managers."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.mesh.model import envoy_filters
from bookmesh.mesh.translate.patching import applying, inserting, merging, routes
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import messages

_VIRTUAL: Final = ("virtualInbound", "virtualOutbound")
_MANAGER: Final = "envoy.filters.network.http_connection_manager"


def patch(listener: Any, place: applying.Place) -> bool:
    """Change a listener in place; False when it is removed."""
    for change in place.changes("LISTENER"):
        if not _is_meant(listener, change, is_whole=True):
            continue
        if change.operation == "REMOVE":
            return False
        if change.operation in merging.MERGES:
            merging.merge(listener, change.value, change.operation)
    _patch_listener_filters(listener, place)
    kept = [chain for chain in listener.filter_chains if _patch_chain(listener, chain, place)]
    if len(kept) != len(listener.filter_chains):
        copies = [wire.FilterChain.FromString(chain.SerializeToString()) for chain in kept]
        del listener.filter_chains[:]
        listener.filter_chains.extend(copies)
    has_default = listener.HasField("default_filter_chain")
    if has_default and not _patch_chain(listener, listener.default_filter_chain, place):
        listener.ClearField("default_filter_chain")
    for change in place.changes("FILTER_CHAIN", ["ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"]):
        if _is_meant(listener, change):
            listener.filter_chains.append(change.value)
    return True


def _patch_listener_filters(listener: Any, place: applying.Place) -> None:
    for change in place.changes("LISTENER_FILTER"):
        if not _is_meant(listener, change):
            continue
        name = change.listener.listener_filter if change.listener is not None else ""
        if change.operation in merging.MERGES:
            for one in listener.listener_filters if name else ():
                if one.name == name:
                    merging.merge_filter(one, change.value)
            continue
        inserting.change(
            listener.listener_filters,
            change.operation,
            change.value,
            is_meant=lambda one, name=name: one.name == name,  # type: ignore[misc]
            has_match=bool(name),
        )


def _patch_chain(listener: Any, chain: Any, place: applying.Place) -> bool:
    """Change a filter chain in place; False when it is removed."""
    for change in place.changes("FILTER_CHAIN"):
        if not (_is_meant(listener, change) and _is_chain_meant(listener, chain, change)):
            continue
        if change.operation == "REMOVE":
            return False
        if change.operation in merging.MERGES:
            _merge_chain(chain, change)
    _patch_network_filters(listener, chain, place)
    return True


def _merge_chain(chain: Any, change: applying.Change) -> None:
    """A transport socket of the same name is merged inside, and then nothing else of the value counts."""
    theirs = change.value
    if (
        theirs.HasField("transport_socket")
        and chain.HasField("transport_socket")
        and theirs.transport_socket.name == chain.transport_socket.name
    ):
        merging.merge_any(chain.transport_socket.typed_config, theirs.transport_socket.typed_config)
        return
    merging.merge(chain, theirs, change.operation)


def _patch_network_filters(listener: Any, chain: Any, place: applying.Place) -> None:
    for change in place.changes("NETWORK_FILTER"):
        if change.operation in merging.MERGES:
            continue
        if _is_meant(listener, change) and _is_chain_meant(listener, chain, change):
            wanted = _filter_match(change)
            inserting.change(
                chain.filters,
                change.operation,
                change.value,
                is_meant=lambda one, w=wanted: w is not None and one.name == w.name,  # type: ignore[misc]
                has_match=wanted is not None,
            )
    for network_filter in chain.filters:
        for change in place.changes("NETWORK_FILTER", merging.MERGES):
            if _is_meant(listener, change) and _is_chain_meant(listener, chain, change):
                wanted = _filter_match(change)
                if wanted is None or wanted.name == network_filter.name:
                    merging.merge_filter(network_filter, change.value)
        if network_filter.name == _MANAGER:
            _patch_manager(listener, chain, network_filter, place)


def _patch_manager(listener: Any, chain: Any, network_filter: Any, place: applying.Place) -> None:
    """Change HTTP filters, and routes that stand in the manager itself."""
    manager = wire.HttpConnectionManager.FromString(network_filter.typed_config.value)
    for change in place.changes("HTTP_FILTER"):
        wanted = _filter_match(change)
        is_meant = _is_meant(listener, change) and _is_chain_meant(listener, chain, change)
        if not is_meant or (wanted is not None and wanted.name != network_filter.name):
            continue
        inner = wanted.sub_filter.name if wanted is not None and wanted.sub_filter is not None else ""
        if change.operation in merging.MERGES:
            for http_filter in manager.http_filters:
                if not inner or http_filter.name == inner:
                    merging.merge_filter(http_filter, change.value)
            continue
        inserting.change(
            manager.http_filters,
            change.operation,
            change.value,
            is_meant=lambda one, name=inner: one.name == name,  # type: ignore[misc]
            has_match=bool(inner),
        )
    if manager.HasField("route_config"):
        routes.patch(manager.route_config, place)
    network_filter.typed_config.CopyFrom(messages.pack(manager))


def _filter_match(change: applying.Change) -> envoy_filters.FilterMatch | None:
    chain = change.listener.filter_chain if change.listener is not None else None
    return chain.filter if chain is not None else None


def _is_meant(listener: Any, change: applying.Change, *, is_whole: bool = False) -> bool:
    """On the listeners that take all traffic a port is that of a chain, unless the whole listener is changed."""
    match = change.listener
    if match is None:
        return True
    if match.name and match.name != listener.name:
        return False
    if not is_whole and listener.name in _VIRTUAL:
        return True
    return not match.port_number or listener.address.socket_address.port_value == match.port_number


def _is_chain_meant(listener: Any, chain: Any, change: applying.Change) -> bool:
    match, own = change.listener, chain.filter_chain_match
    if match is None:
        return True
    if listener.name in _VIRTUAL and match.port_number and own.destination_port.value != match.port_number:
        return False
    wanted = match.filter_chain
    if wanted is None:
        return True
    names = wanted.application_protocols.split(",") if wanted.application_protocols else []
    return (
        wanted.name in ("", chain.name)
        and (not wanted.sni or wanted.sni in own.server_names)
        and wanted.transport_protocol in ("", own.transport_protocol)
        and all(name in own.application_protocols for name in names)
        and wanted.destination_port in (0, own.destination_port.value)
    )

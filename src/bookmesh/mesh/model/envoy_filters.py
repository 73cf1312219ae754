"""EnvoyFilter (networking.istio.io): changes to the configuration that Envoys get, in Envoy's own words."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from bookmesh.mesh.model import expressions
from bookmesh.mesh.model.base import NOT_ACTED_ON, Int32, Model, UInt32
from bookmesh.mesh.model.matching import LabelSelector

ApplyTo = Literal[
    "INVALID",
    "LISTENER",
    "FILTER_CHAIN",
    "NETWORK_FILTER",
    "HTTP_FILTER",
    "ROUTE_CONFIGURATION",
    "VIRTUAL_HOST",
    "HTTP_ROUTE",
    "CLUSTER",
    "EXTENSION_CONFIG",
    "BOOTSTRAP",
    "LISTENER_FILTER",
]
Context = Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"]
Operation = Literal[
    "INVALID",
    "MERGE",
    "ADD",
    "REMOVE",
    "INSERT_BEFORE",
    "INSERT_AFTER",
    "INSERT_FIRST",
    "REPLACE",
    "MERGE_AND_REPLACE_LIST",
]

_IN_LISTENERS: Final = ("LISTENER", "LISTENER_FILTER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER")
_IN_ROUTES: Final = ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE")
_MANAGERS: Final = ("envoy.filters.network.http_connection_manager", "envoy.http_connection_manager")


class ProxyMatch(Model, frozen=True):
    """
    Proxies by what they are.

    proxy_version: An RE2 expression for Istio's version of the proxy.
    metadata: What the proxy says about itself.
    """

    proxy_version: str = ""
    metadata: dict[str, str] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.proxy_version:
            expressions.check(self.proxy_version)


class SubFilterMatch(Model, frozen=True):
    """
    A filter inside another.

    name: The name of an HTTP filter.
    """

    name: str = ""


class FilterMatch(Model, frozen=True):
    """
    A network filter.

    name: Its name.
    sub_filter: An HTTP filter in it.
    """

    name: str = ""
    sub_filter: SubFilterMatch | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name:
            raise ValueError("the filter that is looked for has no name")
        if self.sub_filter is not None and (self.name not in _MANAGERS or not self.sub_filter.name):
            raise ValueError(f"subFilter needs a name, and filter {_MANAGERS[0]} around it")


class FilterChainMatch(Model, frozen=True):
    """
    A filter chain by its own conditions; all that are given must hold.

    name: Its name.
    sni: A server name it is for.
    transport_protocol: raw_buffer or tls.
    application_protocols: ALPN names it is for, separated by commas.
    destination_port: The port it is for.
    filter: A network filter in it.
    transport_socket: Has no effect.
    """

    name: str = ""
    sni: str = ""
    transport_protocol: str = ""
    application_protocols: str = ""
    destination_port: UInt32 = 0
    filter: FilterMatch | None = None
    transport_socket: Annotated[str, NOT_ACTED_ON] = ""


class ListenerMatch(Model, frozen=True):
    """
    A listener.

    port_number: Its port; on the listeners that take all traffic, the port of a filter chain.
    port_name: Has no effect.
    name: Its name.
    filter_chain: A filter chain in it.
    listener_filter: The name of a listener filter in it.
    """

    port_number: UInt32 = 0
    port_name: Annotated[str, NOT_ACTED_ON] = ""
    name: str = ""
    filter_chain: FilterChainMatch | None = None
    listener_filter: str = ""


class RouteMatch(Model, frozen=True):
    """
    A route.

    name: Its name.
    action: What it does.
    """

    name: str = ""
    action: Literal["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"] | None = None


class VirtualHostMatch(Model, frozen=True):
    """
    A virtual host.

    name: Its name, HOST:PORT.
    domain_name: One of its domains.
    route: A route in it.
    """

    name: str = ""
    domain_name: str = ""
    route: RouteMatch | None = None


class RouteConfigurationMatch(Model, frozen=True):
    """
    A route configuration.

    port_number: The port it is for.
    port_name: The name of the port of a Gateway's server.
    gateway: NAMESPACE/NAME of a Gateway.
    name: Its name.
    vhost: A virtual host in it.
    """

    port_number: UInt32 = 0
    port_name: str = ""
    gateway: str = ""
    name: str = ""
    vhost: VirtualHostMatch | None = None


class ClusterMatch(Model, frozen=True):
    """
    A cluster.

    port_number: The port of the service.
    service: The full name of the service.
    subset: The subset of the service.
    name: Its name.
    """

    port_number: UInt32 = 0
    service: str = ""
    subset: str = ""
    name: str = ""


class WaypointMatch(Model, frozen=True):
    """
    A part of a waypoint's configuration; there are none here.

    port_number: The port of the service.
    filter: A filter.
    route: A route.
    """

    port_number: UInt32 = 0
    filter: FilterMatch | None = None
    route: RouteMatch | None = None


class ObjectMatch(Model, frozen=True):
    """
    Where a patch applies; all that is given must hold.

    context: The kind of proxy and direction of traffic; ANY without it.
    proxy: Proxies by what they are.
    listener: A listener, or a part of one.
    route_configuration: A route configuration, or a part of one.
    cluster: A cluster.
    waypoint: A part of a waypoint's configuration.
    """

    context: Context | None = None
    proxy: ProxyMatch | None = None
    listener: ListenerMatch | None = None
    route_configuration: RouteConfigurationMatch | None = None
    cluster: ClusterMatch | None = None
    waypoint: Annotated[WaypointMatch | None, NOT_ACTED_ON] = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("listener", "route_configuration", "cluster", "waypoint"),)


class PatchValue(Model, frozen=True):
    """
    What changes.

    operation: How it changes.
    value: The change, in the form of Envoy's configuration.
    filter_class: Where among the mesh's own filters an added one belongs.
    """

    operation: Operation | None = None
    value: dict[str, Any] | None = None
    filter_class: Annotated[Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"] | None, NOT_ACTED_ON] = None


class ConfigPatch(Model, frozen=True):
    """
    One change.

    apply_to: The part of the configuration.
    match: Where it applies; everywhere without it.
    patch: What changes.
    """

    apply_to: ApplyTo | None = None
    match: ObjectMatch | None = None
    patch: PatchValue | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.apply_to in (None, "INVALID"):
            raise ValueError("applyTo is required")
        if self.patch is None or self.patch.operation in (None, "INVALID"):
            raise ValueError("patch.operation is required")
        if self.patch.value is None and self.patch.operation != "REMOVE":
            raise ValueError(f"patch.value is required for operation {self.patch.operation}")
        if self.match is not None:
            self._check_match(self.match)

    def _check_match(self, match: ObjectMatch) -> None:
        parts = {
            "listener": match.listener,
            "routeConfiguration": match.route_configuration,
            "cluster": match.cluster,
        }
        wanted = "listener" if self.apply_to in _IN_LISTENERS else ""
        wanted = "routeConfiguration" if self.apply_to in _IN_ROUTES else wanted
        wanted = "cluster" if self.apply_to == "CLUSTER" else wanted
        for name, part in parts.items():
            if part is not None and wanted and name != wanted:
                raise ValueError(f"applyTo {self.apply_to} goes with match.{wanted}, not with match.{name}")
        chain = match.listener.filter_chain if match.listener is not None else None
        inner = chain.filter if chain is not None else None
        if inner is not None and inner.sub_filter is not None and self.apply_to != "HTTP_FILTER":
            raise ValueError("subFilter is for applyTo HTTP_FILTER only")


class TargetReference(Model, frozen=True):
    """
    An object whose proxies a patch is for.

    kind: Its kind.
    name: Its name.
    group: The group of its kind.
    namespace: Its namespace.
    """

    kind: Annotated[str, msgspec.Meta(min_length=1)]
    name: Annotated[str, msgspec.Meta(min_length=1)]
    group: str = ""
    namespace: str = ""


class EnvoyFilter(Model, frozen=True):
    """
    Changes to the configuration that Envoys get, in order. In the root namespace they are for all namespaces.

    workload_selector: The pods to whose proxies they apply; all without it.
    target_refs: Objects to whose proxies they apply.
    config_patches: The changes.
    priority: Lower ones come first; 0 without it.
    """

    workload_selector: LabelSelector | None = None
    target_refs: Annotated[tuple[TargetReference, ...], NOT_ACTED_ON] = ()
    config_patches: tuple[ConfigPatch, ...] = ()
    priority: Int32 = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.workload_selector is not None and self.target_refs:
            raise ValueError("at most one of workloadSelector, targetRefs may be set")

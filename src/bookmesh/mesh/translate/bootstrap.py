"""
The file an Envoy starts from: who it is, where its configuration comes from, and its local listeners.

Ports, as in Istio: 15000 admin (loopback), 15021 readiness, 15090 Prometheus. Everything else comes by delta ADS over
the unix socket. The bootstrap is JSON and not protobuf because Envoy reads it as a file.
"""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import expressions
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import naming, peer_metadata

ADMIN_PORT: Final = 15000
HEALTH_PORT: Final = 15021
PROMETHEUS_PORT: Final = 15090

# Packets with this mark are the proxy's own; the redirect rules of the pod let them pass (0x539 = 1337).
SOCKET_MARK: Final = 1337
SOL_SOCKET: Final = 1
SO_MARK: Final = 36

_TYPE: Final = "type.googleapis.com/envoy."

_RUNTIME: Final[JsonObject] = {"re2.max_program_size.error_level": expressions.LARGEST_PROGRAM}

# The statistics every proxy keeps, as in Istio. All others are not even made: that halves a proxy's start.
_STATS_PREFIXES: Final = (
    "cluster_manager",
    "listener_manager",
    "server",
    "cluster.xds-grpc",
    "wasm",
    "istio",
)
_STATS_SUFFIXES: Final = (
    "rbac.allowed",
    "rbac.denied",
    "shadow_allowed",
    "shadow_denied",
    "downstream_cx_active",
)


def build(
    proxy: proxies.Proxy,
    *,
    xds_socket_path: str,
    settings: settings_.MeshSettings,
    socket_mark: int = SOCKET_MARK,
) -> JsonObject:
    """
    Build the bootstrap of one proxy.

    `xds_socket_path` is the path as the proxy sees it; `socket_mark` 0 leaves sockets unmarked, which only makes sense
    where nothing is redirected.
    """
    return {
        "node": _node(proxy, settings),
        "admin": {"address": _address("127.0.0.1", ADMIN_PORT)},
        "dynamic_resources": _dynamic_resources(),
        "static_resources": {
            "clusters": [_pipe_cluster("xds-grpc", xds_socket_path), _admin_cluster()],
            "listeners": [
                _local_listener("health", HEALTH_PORT, path="/healthz/ready", rewrite="/ready"),
                _local_listener("prometheus", PROMETHEUS_PORT, path="/stats/prometheus", rewrite=""),
            ],
        },
        "cluster_manager": {"upstream_bind_config": _bind_config(socket_mark)} if socket_mark else {},
        "layered_runtime": {"layers": [{"name": "global config", "static_layer": _RUNTIME}]},
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": _inclusions(proxy, settings)}},
            "use_all_default_tags": False,
            "stats_tags": [
                {"tag_name": "cluster_name", "regex": r"^cluster(\.([^;]+);)"},
                {"tag_name": "http_conn_manager_prefix", "regex": r"^http\.(([^;]+);\.)"},
                {"tag_name": "response_code_class", "regex": r"_rq(_(\dxx))$"},
                {"tag_name": "response_code", "regex": r"_rq(_(\d{3}))$"},
            ],
        },
    }


def _inclusions(proxy: proxies.Proxy, settings: settings_.MeshSettings) -> list[JsonObject]:
    """
    What is kept: of every proxy, and what mesh and pod ask for.

    Source: ProxyConfig `proxyStatsMatcher`.
    """
    wanted = [
        *(("prefix", text) for text in _STATS_PREFIXES),
        *(("suffix", text) for text in _STATS_SUFFIXES),
        *settings.stats_inclusions,
        *proxy.stats_inclusions,
    ]
    return [
        {"safe_regex": {"regex": text}} if kind == "regex" else {kind: text}
        for kind, text in dict.fromkeys(wanted)
    ]


def _node(proxy: proxies.Proxy, settings: settings_.MeshSettings) -> JsonObject:
    workload = proxy.workload
    return {
        "id": proxy.id,
        "cluster": f"{workload.canonical_name}.{proxy.namespace}",
        "locality": {"region": workload.locality.region, "zone": workload.locality.zone},
        "metadata": {
            **proxy.metadata,
            "NAME": proxy.name,
            "NAMESPACE": proxy.namespace,
            "WORKLOAD_NAME": workload.name,
            "SERVICE_ACCOUNT": proxy.service_account,
            "CLUSTER_ID": settings.cluster_id,
            "INSTANCE_IPS": proxy.ip,
            "LABELS": dict(proxy.labels),
            peer_metadata.NODE_KEY: peer_metadata.encode(proxy, settings),
        },
    }


def _dynamic_resources() -> JsonObject:
    source: JsonObject = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    return {
        "lds_config": source,
        "cds_config": source,
        "ads_config": {
            "api_type": "DELTA_GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}],
        },
    }


def _bind_config(mark: int) -> JsonObject:
    """Mark every upstream socket in one place; clusters with a bind config of their own repeat it."""
    option = {"description": "own traffic", "level": SOL_SOCKET, "name": SO_MARK, "int_value": mark}
    return {
        "source_address": {"address": "0.0.0.0", "port_value": 0},  # noqa: S104 - any source, nothing listens
        "socket_options": [{**option, "state": "STATE_PREBIND"}],
    }


def _pipe_cluster(name: str, path: str) -> JsonObject:
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": name,
        "alt_stat_name": naming.stats_prefix(name),
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            options: {
                "@type": "type.googleapis.com/" + options,
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": _load_assignment(name, {"pipe": {"path": path}}),
    }


def _admin_cluster() -> JsonObject:
    assignment = _load_assignment("admin", _address("127.0.0.1", ADMIN_PORT))
    return {"name": "admin", "type": "STATIC", "connect_timeout": "1s", "load_assignment": assignment}


def _local_listener(name: str, port: int, *, path: str, rewrite: str) -> JsonObject:
    """A listener that offers one path of the admin interface, and nothing else of it."""
    action: JsonObject = {"cluster": "admin"}
    if rewrite:
        action["prefix_rewrite"] = rewrite
    manager = {
        "@type": _TYPE + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": naming.stats_prefix(name),
        "route_config": {
            "virtual_hosts": [
                {"name": name, "domains": ["*"], "routes": [{"match": {"path": path}, "route": action}]}
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": _TYPE + "extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    filters: list[JsonObject] = [
        {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    ]
    return {
        "name": name,
        "address": _address("0.0.0.0", port),  # noqa: S104 - kubelet and Prometheus reach it from outside the pod
        "filter_chains": [{"filters": filters}],
    }


def _load_assignment(name: str, address: JsonObject) -> JsonObject:
    endpoints: list[dict[str, Any]] = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {"cluster_name": name, "endpoints": endpoints}


def _address(host: str, port: int) -> JsonObject:
    return {"socket_address": {"address": host, "port_value": port}}

"""
The servers of the simulated Internet as the configuration of one Envoy: every host on its ports, at its addresses.

In TLS the name in the greeting decides which certificate is shown, and a name that nobody has at that address gets no
answer. In plain text the Host header decides between hosts of one address, and the first of them answers to a name that
none of them has. What a host's program answers comes from a process beside Envoy. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bookmesh.lab.internet import hosts as hosts_
from bookmesh.lab.internet.authority import ServerKeys

JsonObject = dict[str, Any]

SERVER_NAME: Final = "bookmesh-internet"
"""The header `server` of every answer, by which people see that it was simulated."""
PROGRAM_PORTS: Final[dict[str, int]] = {"httpbin": hosts_.RESERVED_PORT + 1}
READY_PORT: Final = hosts_.RESERVED_PORT
"""Answers as soon as all the others do; on loopback only."""
_TYPE: Final = "type.googleapis.com/envoy"
# What Envoy would tell a program about the request; a server on the Internet is not told.
_OWN_HEADERS: Final = ("x-forwarded-proto", "x-envoy-expected-rq-timeout-ms", "x-request-id")


def build_bootstrap(directory: hosts_.Directory, keys: Mapping[str, ServerKeys]) -> JsonObject:
    """Build Envoy's whole configuration; `keys` has the certificate of each host that speaks TLS, by its first name."""
    listeners = [_listener(port, directory, keys) for port in directory.ports]
    programs = sorted({host.program for host in directory.hosts if host.program})
    return {
        "node": {"id": "internet", "cluster": "internet"},
        "static_resources": {
            "listeners": [*listeners, _ready_listener()],
            "clusters": [_cluster(program) for program in programs],
        },
        "stats_config": {"stats_matcher": {"reject_all": True}},
    }


def _ready_listener() -> JsonObject:
    return {
        "name": "ready",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": READY_PORT}},
        "filter_chains": [{"filters": [_manager([])]}],
    }


def _listener(port: int, directory: hosts_.Directory, keys: Mapping[str, ServerKeys]) -> JsonObject:
    chains: list[JsonObject] = []
    plain: dict[str, list[hosts_.Host]] = {}
    for host, addresses in zip(directory.hosts, directory.addresses, strict=True):
        if port in host.https:
            chains.append(_secure_chain(host, addresses, keys[host.names[0]]))
        elif port in host.http:
            for address in addresses:
                plain.setdefault(address, []).append(host)
    alike: dict[tuple[str, ...], list[str]] = {}
    for address, hosts in plain.items():
        alike.setdefault(tuple(host.names[0] for host in hosts), []).append(address)
    chains += [_plain_chain(plain[addresses[0]], addresses) for addresses in alike.values()]
    inspector = {
        "name": "envoy.filters.listener.tls_inspector",
        "typed_config": {
            "@type": f"{_TYPE}.extensions.filters.listener.tls_inspector.v3.TlsInspector",
        },
    }
    return {
        "name": f"port-{port}",
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},  # noqa: S104 - its own network
        "listener_filters": [inspector],
        "filter_chains": chains,
    }


def _plain_chain(hosts: Sequence[hosts_.Host], addresses: Sequence[str]) -> JsonObject:
    virtual_hosts = [_virtual_host(host, list(host.names), is_plain=True) for host in hosts]
    virtual_hosts[0]["domains"].append("*")
    match = {"transport_protocol": "raw_buffer", "prefix_ranges": _ranges(addresses)}
    return {"filter_chain_match": match, "filters": [_manager(virtual_hosts)]}


def _ranges(addresses: Sequence[str]) -> list[JsonObject]:
    return [{"address_prefix": address, "prefix_len": 32} for address in addresses]


def _secure_chain(host: hosts_.Host, addresses: Sequence[str], keys: ServerKeys) -> JsonObject:
    context = {
        "@type": f"{_TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "alpn_protocols": list(host.alpn),
            "tls_certificates": [
                {
                    "certificate_chain": {"inline_string": keys.certificate},
                    "private_key": {"inline_string": keys.key},
                }
            ],
        },
    }
    return {
        "filter_chain_match": {
            "transport_protocol": "tls",
            "server_names": list(host.names),
            "prefix_ranges": _ranges(addresses),
        },
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
        "filters": [_manager([_virtual_host(host, ["*"], is_plain=False)])],
    }


def _manager(virtual_hosts: list[JsonObject]) -> JsonObject:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "internet",
            "codec_type": "AUTO",
            "server_name": SERVER_NAME,
            "generate_request_id": False,
            "skip_xff_append": True,
            "stream_idle_timeout": "300s",
            "route_config": {
                "virtual_hosts": virtual_hosts,
                "ignore_port_in_host_matching": True,
                "max_direct_response_body_size_bytes": 1 << 20,
            },
            "http_filters": [
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {
                        "@type": f"{_TYPE}.extensions.filters.http.router.v3.Router",
                        "suppress_envoy_headers": True,
                    },
                }
            ],
        },
    }


def _virtual_host(host: hosts_.Host, domains: list[str], *, is_plain: bool) -> JsonObject:
    """The answers of one host, which may send plain requests on to https."""
    if is_plain and host.secure_only:
        redirect: JsonObject = {"https_redirect": True}
        if host.https[0] != 443:
            redirect["port_redirect"] = host.https[0]
        elsewhere = {"match": {"prefix": "/"}, "redirect": redirect}
        return {"name": host.names[0], "domains": domains, "routes": [elsewhere]}
    routes = [_answer(answer) for answer in host.answers]
    if host.program:
        routes.append(
            {
                "match": {"prefix": "/"},
                "route": {"cluster": host.program, "timeout": "0s"},
                "request_headers_to_remove": list(_OWN_HEADERS),
            }
        )
    return {"name": host.names[0], "domains": domains, "routes": routes}


def _answer(answer: hosts_.Answer) -> JsonObject:
    match = {"path": answer.path} if answer.path else {"prefix": answer.prefix or "/"}
    route: JsonObject = {"match": match, "direct_response": {"status": answer.status}}
    if answer.body:
        route["direct_response"]["body"] = {"inline_string": answer.body}
    if answer.headers:
        route["response_headers_to_add"] = [
            # A percent sign begins a variable in Envoy; here it is a percent sign.
            {
                "header": {"key": name, "value": value.replace("%", "%%")},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
            for name, value in answer.headers.items()
        ]
    return route


def _cluster(program: str) -> JsonObject:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": PROGRAM_PORTS[program]}}
    return {
        "name": program,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": program,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }

"""The fields of MeshConfig that act: what each says in the words of `MeshSettings`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import base, ciphers, connection_pools, formats, http_actions, load_balancers
from bookmesh.mesh.model.gateway_api import gateways
from bookmesh.mesh.snapshot import proxy_fields

Reader = Callable[[Any], dict[str, Any]]
"""
Gives fields of `MeshSettings` with their values; a ValueError, or msgspec's, says what is wrong.
"""


def _outbound_traffic_policy(value: Any) -> dict[str, Any]:
    return {"outbound_traffic_policy": one_of(value.get("mode", "ALLOW_ANY"), "ALLOW_ANY", "REGISTRY_ONLY")}


def _access_log_format(value: Any) -> dict[str, Any]:
    text = str(value or "")
    formats.check(text)
    return {"access_log_format": text}


def _default_config(value: Any) -> dict[str, Any]:
    value = value or {}
    return {
        "stats_inclusions": proxy_fields.inclusions(value),
        "environment": proxy_fields.environment(value),
        "concurrency": proxy_fields.concurrency(value),
        "drain_s": proxy_fields.drain_s(value),
        "topology": proxy_fields.topology(value),
        "proxy_headers": proxy_fields.proxy_headers(value),
    }


def _path_normalization(value: Any) -> dict[str, Any]:
    wanted = one_of(
        value.get("normalization", "DEFAULT"),
        *("DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
    )
    return {"path_normalization": "BASE" if wanted == "DEFAULT" else wanted}


def _mesh_mtls(value: Any) -> dict[str, Any]:
    wanted = one_of(value.get("minProtocolVersion", "TLS_AUTO"), "TLS_AUTO", "TLSV1_2", "TLSV1_3")
    return {"least_tls_version": "TLSV1_2" if wanted == "TLS_AUTO" else wanted}


def _default_retries(value: Any) -> dict[str, Any]:
    return {"default_retries": msgspec.convert(value, http_actions.HttpRetry)}


def _locality(value: Any) -> dict[str, Any]:
    setting = msgspec.convert(value or {}, load_balancers.LocalityLoadBalancer)
    return {"is_locality_enabled": setting.enabled is not False, "locality": setting}


def _tls_defaults(value: Any) -> dict[str, Any]:
    """As in Istio the versions of TLS that a server or rule has are its own."""
    unread = value.keys() - {"cipherSuites", "ecdhCurves"}
    if unread:
        raise ValueError(
            f"of tlsDefaults only cipherSuites and ecdhCurves act, not {', '.join(sorted(unread))}"
        )
    return {
        "cipher_suites": ciphers.usable_suites(_texts(value.get("cipherSuites"))),
        "ecdh_curves": ciphers.usable_curves(_texts(value.get("ecdhCurves"))),
    }


def _texts(value: Any) -> tuple[str, ...]:
    return msgspec.convert(value or (), tuple[str, ...])


def _lasting(value: Any) -> float:
    base.check_lasting(duration=str(value))
    return parse_duration_s(str(value))


def _tcp_keepalive(value: Any) -> dict[str, Any]:
    return {"tcp_keepalive": msgspec.convert(value, connection_pools.TcpKeepalive)}


def _discovery_selectors(value: Any) -> dict[str, Any]:
    return {"discovery_selectors": msgspec.convert(value or (), tuple[gateways.LabelSelector, ...])}


def _exports(field: str) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, list) or not all(one in ("*", ".", "~") for one in value):
            raise ValueError('it is a list of "*", "." and "~"')
        return {field: tuple(value) or ("*",)}

    return read


READERS: Final[dict[str, Reader]] = {
    "outboundTrafficPolicy": _outbound_traffic_policy,
    "accessLogFile": lambda value: {"access_log_path": str(value or "")},
    "accessLogFormat": _access_log_format,
    "accessLogEncoding": lambda value: {"access_log_encoding": one_of(value, "TEXT", "JSON")},
    "enableAutoMtls": lambda value: {"is_auto_mtls": _boolean(value)},
    "connectTimeout": lambda value: {"connect_timeout_s": parse_duration_s(str(value))},
    "localityLbSetting": _locality,
    "trustDomainAliases": lambda value: {"trust_domain_aliases": _texts(value)},
    "dnsRefreshRate": lambda value: {"dns_refresh_s": _lasting(value)},
    "protocolDetectionTimeout": lambda value: {"detection_timeout_s": parse_duration_s(str(value))},
    "tlsDefaults": _tls_defaults,
    "defaultConfig": _default_config,
    "defaultHttpRetryPolicy": _default_retries,
    "defaultServiceExportTo": _exports("service_export_to"),
    "defaultVirtualServiceExportTo": _exports("virtual_service_export_to"),
    "defaultDestinationRuleExportTo": _exports("destination_rule_export_to"),
    "discoverySelectors": _discovery_selectors,
    "meshMTLS": _mesh_mtls,
    "pathNormalization": _path_normalization,
    "h2UpgradePolicy": lambda value: {
        "upgrades_to_http2": one_of(value, "UPGRADE", "DO_NOT_UPGRADE") == "UPGRADE"
    },
    "tcpKeepalive": _tcp_keepalive,
}


def one_of(value: str, *known: str) -> str:
    if value not in known:
        raise ValueError(f'"{value}" is not one of {", ".join(known)}')
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value

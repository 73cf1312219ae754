"""What is read of a ProxyConfig, as MeshConfig's `defaultConfig` and the annotation of a pod have it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import expressions
from bookmesh.mesh.snapshot import settings

_INCLUSIONS: Final = ("inclusionPrefixes", "inclusionSuffixes", "inclusionRegexps")
_MOST_PROXIES: Final = 2**32 - 1
_LONGEST_S: Final = 86400
# Of a ProxyConfig: what is read, and what says the same as this mesh does anyway.
_KNOWN: Final = frozenset(
    {
        "proxyStatsMatcher",
        "proxyMetadata",
        "concurrency",
        "discoveryAddress",
        "holdApplicationUntilProxyStarts",
        "gatewayTopology",
        "drainDuration",
        "proxyHeaders",
    }
)
_HEADERS: Final = frozenset(
    {
        "server",
        "requestId",
        "attemptCount",
        "envoyDebugHeaders",
        "forwardedClientCert",
        "setCurrentClientCertDetails",
    }
)
_TOPOLOGY: Final = frozenset({"numTrustedProxies", "forwardClientCertDetails", "proxyProtocol"})
_PARTLY: Final = {"gatewayTopology": _TOPOLOGY, "proxyHeaders": _HEADERS}
_CERTIFICATE_MODES: Final = (
    "SANITIZE",
    "FORWARD_ONLY",
    "APPEND_FORWARD",
    "SANITIZE_SET",
    "ALWAYS_FORWARD_ONLY",
)


def unread(proxy_config: Any) -> Iterator[str]:
    """The fields of a ProxyConfig that have no effect here, as paths."""
    for name, value in (proxy_config or {}).items():
        if name not in _KNOWN:
            yield name
        elif name in _PARTLY and isinstance(value, dict):
            yield from (f"{name}.{field}" for field in value if field not in _PARTLY[name])


def inclusions(proxy_config: Any) -> tuple[tuple[str, str], ...]:
    """
    Read `proxyStatsMatcher` of a ProxyConfig: pairs of kind (prefix, suffix, regex) and text, in order.

    Raises:
        ValueError: it is not what it should be.
    """
    if not isinstance(proxy_config, dict):
        raise ValueError("a ProxyConfig is a mapping")
    matcher = proxy_config.get("proxyStatsMatcher") or {}
    if not isinstance(matcher, dict):
        raise ValueError("proxyStatsMatcher is a mapping")
    found: list[tuple[str, str]] = []
    for name, kind in zip(_INCLUSIONS, ("prefix", "suffix", "regex"), strict=True):
        texts = matcher.get(name) or []
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"proxyStatsMatcher.{name} is a list of strings")
        for text in texts if kind == "regex" else ():
            expressions.check(text)
        found += [(kind, text) for text in texts]
    return tuple(found)


def environment(proxy_config: Any) -> tuple[tuple[str, str], ...]:
    """
    Read `proxyMetadata` of a ProxyConfig: variables of the proxy, sorted.

    Raises:
        ValueError: it is no mapping of strings.
    """
    found = (proxy_config or {}).get("proxyMetadata") or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("proxyMetadata is a mapping of strings")
    return tuple(sorted((str(name), value) for name, value in found.items()))


def concurrency(proxy_config: Any) -> int | None:
    """
    Read `concurrency` of a ProxyConfig: worker threads, 0 for one a CPU; None when it is not said.

    Raises:
        ValueError: it is no such number.
    """
    found = (proxy_config or {}).get("concurrency")
    if found is not None and (not isinstance(found, int) or isinstance(found, bool) or found < 0):
        raise ValueError("concurrency is a number of threads, 0 for one a CPU")
    return found


def drain_s(proxy_config: Any) -> int | None:
    """
    Read `drainDuration` of a ProxyConfig: whole seconds for which connections to a changed listener may go on; None
    when it is not said.

    Raises:
        ValueError: it is no duration.
    """
    found = (proxy_config or {}).get("drainDuration")
    if found is None:
        return None
    seconds = math.ceil(parse_duration_s(str(found)))
    if not 0 < seconds <= _LONGEST_S:
        raise ValueError(f"drainDuration is a time from 1s to {_LONGEST_S}s")
    return seconds


def topology(proxy_config: Any) -> settings.Topology:
    """
    Read `gatewayTopology` of a ProxyConfig.

    Raises:
        ValueError: it is not what it should be.
    """
    found = (proxy_config or {}).get("gatewayTopology") or {}
    if not isinstance(found, dict):
        raise ValueError("gatewayTopology is a mapping")
    return settings.Topology(
        trusted_proxies=_trusted_proxies(found.get("numTrustedProxies", 0)),
        client_certificates=_client_certificates(found.get("forwardClientCertDetails") or "UNDEFINED"),
        has_proxy_protocol=_has_proxy_protocol(found.get("proxyProtocol")),
    )


def _trusted_proxies(found: Any) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= _MOST_PROXIES:
        raise ValueError(f"gatewayTopology.numTrustedProxies is a number from 0 to {_MOST_PROXIES}")
    return found


def _client_certificates(found: Any) -> str:
    if found == "UNDEFINED":
        return settings.Topology().client_certificates
    return _certificate_mode(found, "gatewayTopology.forwardClientCertDetails")


def _certificate_mode(found: Any, field: str) -> str:
    if found not in _CERTIFICATE_MODES:
        raise ValueError(f"{field} is one of {', '.join(_CERTIFICATE_MODES)}")
    return str(found)


def proxy_headers(proxy_config: Any) -> settings.ProxyHeaders:
    """
    Read `proxyHeaders` of a ProxyConfig.

    Raises:
        ValueError: it is not what it should be.
    """
    found = _mapping(proxy_config or {}, "proxyHeaders")
    server = _mapping(found, "server")
    usual = settings.ProxyHeaders()
    mode = found.get("forwardedClientCert") or "UNDEFINED"
    parts = _mapping(found, "setCurrentClientCertDetails")
    return settings.ProxyHeaders(
        server=str(server["value"]) if server.get("value") else None,
        hides_itself=_flag(server, "disabled", usual=False),
        numbers_requests=not _flag(_mapping(found, "requestId"), "disabled", usual=False),
        counts_attempts=not _flag(_mapping(found, "attemptCount"), "disabled", usual=False),
        tells_more=not _flag(_mapping(found, "envoyDebugHeaders"), "disabled", usual=False),
        client_certificates=usual.client_certificates
        if mode == "UNDEFINED"
        else _certificate_mode(mode, "proxyHeaders.forwardedClientCert"),
        certificate_parts=frozenset(
            part
            for part in ("subject", "cert", "chain", "dns", "uri")
            if _flag(parts, part, usual=part in usual.certificate_parts)
        ),
    )


def _mapping(found: Any, name: str) -> dict[str, Any]:
    value = found.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(f"proxyHeaders: {name} is a mapping")
    return value


def _flag(found: dict[str, Any], name: str, *, usual: bool) -> bool:
    value = found.get(name, usual)
    if not isinstance(value, bool):
        raise ValueError(f"proxyHeaders: {name} is true or false")
    return value


def _has_proxy_protocol(found: Any) -> bool:
    if found not in (None, {}):
        raise ValueError("gatewayTopology.proxyProtocol is {}")
    return found is not None

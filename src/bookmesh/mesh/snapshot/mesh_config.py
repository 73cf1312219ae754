"""Istio's MeshConfig, as the ConfigMap `istio` of the root namespace has it: `data.mesh` is YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

import msgspec
import orjson
import yaml

from bookmesh.base.durations import parse_duration_s
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import connection_pools, expressions, formats, virtual_services
from bookmesh.mesh.snapshot.settings import IngressSettings, MeshSettings

NAME: Final = "istio"
KEY: Final = "mesh"
# What says the same as this mesh does anyway, and what other parts of it read.
_WITHOUT_EFFECT: Final = frozenset(
    {"rootNamespace", "trustDomain", "enablePrometheusMerge", "discoverySelectors"}
)
_INGRESS: Final = {
    "ingressControllerMode": "mode",
    "ingressClass": "class_name",
    "ingressService": "service",
    "ingressSelector": "selector",
}
# Of a ProxyConfig: what is read, and what says the same as this mesh does anyway.
_PROXY_FIELDS: Final = frozenset(
    {
        "proxyStatsMatcher",
        "proxyMetadata",
        "concurrency",
        "discoveryAddress",
        "holdApplicationUntilProxyStarts",
    }
)
_Reader = Callable[[Any], dict[str, Any]]
_INCLUSIONS: Final = ("inclusionPrefixes", "inclusionSuffixes", "inclusionRegexps")


@dataclasses.dataclass(frozen=True, slots=True)
class MeshConfig:
    """Settings in force, and what is wrong with what was written."""

    settings: MeshSettings
    findings: tuple[Finding, ...] = ()


def read(base: MeshSettings, config_map: JsonObject | None) -> MeshConfig:
    """Apply the ConfigMap, if there is one, to `base`; a field that cannot be used leaves the one of `base`."""
    if config_map is None:
        return MeshConfig(base)
    metadata = config_map["metadata"]
    ref = ObjectRef("ConfigMap", metadata["name"], metadata.get("namespace", ""))
    try:
        content = yaml.safe_load((config_map.get("data") or {}).get(KEY) or "") or {}
        if not isinstance(content, dict):
            raise ValueError("it is no mapping")
    except (yaml.YAMLError, ValueError) as error:
        return MeshConfig(base, (_finding(ref, "", f"cannot be used: {error}", is_error=True),))
    changes: dict[str, Any] = {}
    findings: list[Finding] = []
    if content.get("accessLogEncoding") == "JSON" and not _is_json_object(content.get("accessLogFormat")):
        findings.append(
            _finding(ref, "accessLogFormat", "sets accessLogFormat to no JSON object", is_error=True)
        )
        content.pop("accessLogFormat")
    for name, value in content.items():
        try:
            found = _setting(name, value, changes.get("ingress", base.ingress))
        except (ValueError, TypeError, AttributeError, msgspec.ValidationError) as error:
            findings.append(
                _finding(ref, name, f"sets {name} to something that cannot be used: {error}", is_error=True)
            )
            continue
        if found is None and name not in _WITHOUT_EFFECT:
            findings.append(_finding(ref, name, f"sets {name}, which this mesh does not act on yet"))
        if name == "defaultConfig":
            findings += [
                _finding(ref, path, f"sets {path}, which this mesh does not act on yet")
                for path in (f"defaultConfig.{field}" for field in value or {} if field not in _PROXY_FIELDS)
            ]
        changes |= found or {}
    return MeshConfig(dataclasses.replace(base, **changes), tuple(findings))


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


def _setting(name: str, value: Any, ingress: IngressSettings) -> dict[str, Any] | None:
    """The fields of `MeshSettings` that one field of MeshConfig sets; None when it is not acted on."""
    if name in _INGRESS:
        if name == "ingressControllerMode":
            _one_of(value, "OFF", "DEFAULT", "STRICT")
        changes: dict[str, Any] = {_INGRESS[name]: str(value)}
        return {"ingress": dataclasses.replace(ingress, **changes)}
    read = _READERS.get(name)
    return read(value) if read is not None else None


def _is_json_object(text: Any) -> bool:
    try:
        return not text or isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _outbound_traffic_policy(value: Any) -> dict[str, Any]:
    return {"outbound_traffic_policy": _one_of(value.get("mode", "ALLOW_ANY"), "ALLOW_ANY", "REGISTRY_ONLY")}


def _access_log_format(value: Any) -> dict[str, Any]:
    text = str(value or "")
    formats.check(text)
    return {"access_log_format": text}


def _default_config(value: Any) -> dict[str, Any]:
    value = value or {}
    return {
        "stats_inclusions": inclusions(value),
        "environment": environment(value),
        "concurrency": concurrency(value),
    }


def _path_normalization(value: Any) -> dict[str, Any]:
    wanted = _one_of(
        value.get("normalization", "DEFAULT"),
        *("DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
    )
    return {"path_normalization": "BASE" if wanted == "DEFAULT" else wanted}


def _mesh_mtls(value: Any) -> dict[str, Any]:
    wanted = _one_of(value.get("minProtocolVersion", "TLS_AUTO"), "TLS_AUTO", "TLSV1_2", "TLSV1_3")
    return {"least_tls_version": "TLSV1_2" if wanted == "TLS_AUTO" else wanted}


def _default_retries(value: Any) -> dict[str, Any]:
    return {"default_retries": msgspec.convert(value, virtual_services.HttpRetry)}


def _tcp_keepalive(value: Any) -> dict[str, Any]:
    return {"tcp_keepalive": msgspec.convert(value, connection_pools.TcpKeepalive)}


def _exports(field: str) -> _Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, list) or not all(one in ("*", ".", "~") for one in value):
            raise ValueError('it is a list of "*", "." and "~"')
        return {field: tuple(value) or ("*",)}

    return read


_READERS: Final[dict[str, _Reader]] = {
    "outboundTrafficPolicy": _outbound_traffic_policy,
    "accessLogFile": lambda value: {"access_log_path": str(value or "")},
    "accessLogFormat": _access_log_format,
    "accessLogEncoding": lambda value: {"access_log_encoding": _one_of(value, "TEXT", "JSON")},
    "enableAutoMtls": lambda value: {"is_auto_mtls": _boolean(value)},
    "connectTimeout": lambda value: {"connect_timeout_s": parse_duration_s(str(value))},
    "localityLbSetting": lambda value: {"is_locality_enabled": _boolean((value or {}).get("enabled", True))},
    "defaultConfig": _default_config,
    "defaultHttpRetryPolicy": _default_retries,
    "defaultServiceExportTo": _exports("service_export_to"),
    "defaultVirtualServiceExportTo": _exports("virtual_service_export_to"),
    "defaultDestinationRuleExportTo": _exports("destination_rule_export_to"),
    "meshMTLS": _mesh_mtls,
    "pathNormalization": _path_normalization,
    "h2UpgradePolicy": lambda value: {
        "upgrades_to_http2": _one_of(value, "UPGRADE", "DO_NOT_UPGRADE") == "UPGRADE"
    },
    "tcpKeepalive": _tcp_keepalive,
}


def _one_of(value: str, *known: str) -> str:
    if value not in known:
        raise ValueError(f'"{value}" is not one of {", ".join(known)}')
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _finding(ref: ObjectRef, name: str, what: str, *, is_error: bool = False) -> Finding:
    return Finding(
        code="BM0210",
        message=f"{ref} {what}",
        subject=ref,
        where=f"data.{KEY}" + (f": {name}" if name else ""),
        known=", ".join((*_READERS, *_INGRESS)),
        hint="the rest of the configuration is in force"
        if name
        else "the built-in configuration stays in force",
        severity="error" if is_error else "warning",
    )

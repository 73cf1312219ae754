"""Istio's MeshConfig, as the ConfigMap `istio` of the root namespace has it: `data.mesh` is YAML."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import yaml

from bookmesh.base.durations import parse_duration_s
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import JsonObject
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
    for name, value in content.items():
        try:
            found = _setting(name, value, changes.get("ingress", base.ingress))
        except (ValueError, TypeError, AttributeError) as error:
            findings.append(
                _finding(ref, name, f"sets {name} to something that cannot be used: {error}", is_error=True)
            )
            continue
        if found is None and name not in _WITHOUT_EFFECT:
            findings.append(_finding(ref, name, f"sets {name}, which this mesh does not act on yet"))
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
        found += [(kind, text) for text in texts]
    return tuple(found)


def _setting(name: str, value: Any, ingress: IngressSettings) -> dict[str, Any] | None:
    """The fields of `MeshSettings` that one field of MeshConfig sets; None when it is not acted on."""
    if name in _INGRESS:
        changes: dict[str, Any] = {_INGRESS[name]: str(value)}
        if name == "ingressControllerMode":
            _one_of(value, "OFF", "DEFAULT", "STRICT")
        return {"ingress": dataclasses.replace(ingress, **changes)}
    if name == "outboundTrafficPolicy":
        return {
            "outbound_traffic_policy": _one_of(value.get("mode", "ALLOW_ANY"), "ALLOW_ANY", "REGISTRY_ONLY")
        }
    if name == "accessLogFile":
        return {"access_log_path": str(value or "")}
    if name == "enableAutoMtls":
        return {"is_auto_mtls": _boolean(value)}
    if name == "connectTimeout":
        return {"connect_timeout_s": parse_duration_s(str(value))}
    if name == "localityLbSetting":
        return {"is_locality_enabled": _boolean((value or {}).get("enabled", True))}
    if name == "defaultConfig":
        return {"stats_inclusions": inclusions(value or {})}
    return None


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
        known="outboundTrafficPolicy, accessLogFile, enableAutoMtls, connectTimeout, localityLbSetting, defaultConfig, "
        + ", ".join(_INGRESS),
        hint="the rest of the configuration is in force"
        if name
        else "the built-in configuration stays in force",
        severity="error" if is_error else "warning",
    )

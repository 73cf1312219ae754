"""Istio's MeshConfig, as the ConfigMap `istio` of the root namespace has it: `data.mesh` is YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

import msgspec
import orjson
import yaml

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.snapshot import mesh_fields, proxy_fields
from bookmesh.mesh.snapshot.settings import IngressSettings, MeshSettings

NAME: Final = "istio"
KEY: Final = "mesh"
# What says nothing by itself: settings about several clusters, and providers before something uses them.
_WITHOUT_EFFECT: Final = frozenset({"enablePrometheusMerge", "serviceSettings", "extensionProviders"})
# What is as it is here, and by which setting.
_FIXED: Final[dict[str, Callable[[MeshSettings], Any]]] = {
    "rootNamespace": lambda base: base.root_namespace,
    "trustDomain": lambda base: base.trust_domain,
    "verifyCertificateAtClient": lambda _: True,
    "proxyListenPort": lambda _: _OUTBOUND_PORT,
    "proxyInboundListenPort": lambda _: _INBOUND_PORT,
    "defaultProviders": lambda _: {"metrics": ["prometheus"]},
}
_OUTBOUND_PORT: Final = 15001
_INBOUND_PORT: Final = 15006
_INGRESS: Final = {
    "ingressControllerMode": "mode",
    "ingressClass": "class_name",
    "ingressService": "service",
    "ingressSelector": "selector",
}


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
        if name in _FIXED:
            if value != (fixed := _FIXED[name](base)):
                findings.append(
                    _finding(ref, name, f"sets {name}, which is {orjson.dumps(fixed).decode()} here")
                )
        elif found is None and name not in _WITHOUT_EFFECT:
            findings.append(_finding(ref, name, f"sets {name}, which this mesh does not act on yet"))
        if name == "defaultConfig":
            findings += [
                _finding(ref, path, f"sets {path}, which this mesh does not act on yet")
                for path in (f"defaultConfig.{field}" for field in proxy_fields.unread(value))
            ]
        changes |= found or {}
    return MeshConfig(dataclasses.replace(base, **changes), tuple(findings))


def _setting(name: str, value: Any, ingress: IngressSettings) -> dict[str, Any] | None:
    """The fields of `MeshSettings` that one field of MeshConfig sets; None when it is not acted on."""
    if name in _INGRESS:
        if name == "ingressControllerMode":
            mesh_fields.one_of(value, "OFF", "DEFAULT", "STRICT")
        changes: dict[str, Any] = {_INGRESS[name]: str(value)}
        return {"ingress": dataclasses.replace(ingress, **changes)}
    read = mesh_fields.READERS.get(name)
    return read(value) if read is not None else None


def _is_json_object(text: Any) -> bool:
    try:
        return not text or isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _finding(ref: ObjectRef, name: str, what: str, *, is_error: bool = False) -> Finding:
    return Finding(
        code="BM0210",
        message=f"{ref} {what}",
        subject=ref,
        where=f"data.{KEY}" + (f": {name}" if name else ""),
        known=", ".join((*mesh_fields.READERS, *_INGRESS)),
        hint="the rest of the configuration is in force"
        if name
        else "the built-in configuration stays in force",
        severity="error" if is_error else "warning",
    )

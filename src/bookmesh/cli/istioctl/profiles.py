"""
What an installation is: profile, `--set` and `-f` merged into gateways, mesh settings and values. Pure.

Whatever cannot take effect in a lab is refused, not ignored.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from bookmesh.cli.istioctl import gateway_settings
from bookmesh.lab import releases
from bookmesh.mesh.injection.settings import InjectionSettings

JsonObject = dict[str, Any]

PROFILES: Final[dict[str, JsonObject]] = {
    "default": {"ingress": True, "egress": False, "meshConfig": {}},
    "demo": {"ingress": True, "egress": True, "meshConfig": {"accessLogFile": "/dev/stdout"}},
    "minimal": {"ingress": False, "egress": False, "meshConfig": {}},
    "empty": {"ingress": False, "egress": False, "meshConfig": {}},
}
MESH_CONFIG_DEFAULTS: Final[JsonObject] = {
    "defaultConfig": {"discoveryAddress": "istiod.istio-system.svc:15012"},
    "defaultProviders": {"metrics": ["prometheus"]},
    "enablePrometheusMerge": True,
    "rootNamespace": "istio-system",
    "trustDomain": "cluster.local",
}
# What Istio's own istioctl reads when it analyzes: which proxy pods should have.
VALUES_DEFAULTS: Final[JsonObject] = {
    "global": {
        "hub": InjectionSettings(tag=releases.ISTIO_TAG).hub,
        "tag": releases.ISTIO_TAG,
        "proxy": {"image": "proxyv2"},
    },
    "sidecarInjectorWebhook": {"enableNamespacesByDefault": False},
}
MESH_CONFIG_FIELDS: Final = frozenset(
    [
        "accessLogEncoding",
        "accessLogFile",
        "accessLogFormat",
        "caCertificates",
        "certificates",
        "configSources",
        "connectTimeout",
        "defaultConfig",
        "defaultDestinationRuleExportTo",
        "defaultHttpRetryPolicy",
        "defaultProviders",
        "defaultServiceExportTo",
        "defaultVirtualServiceExportTo",
        "discoverySelectors",
        "dnsRefreshRate",
        "enableAutoMtls",
        "enableEnvoyAccessLogService",
        "enablePrometheusMerge",
        "enableTracing",
        "extensionProviders",
        "h2UpgradePolicy",
        "inboundClusterStatName",
        "inboundTrafficPolicy",
        "ingressClass",
        "ingressControllerMode",
        "ingressSelector",
        "ingressService",
        "localityLbSetting",
        "meshMTLS",
        "outboundClusterStatName",
        "outboundTrafficPolicy",
        "pathNormalization",
        "proxyHttpPort",
        "proxyInboundListenPort",
        "proxyListenPort",
        "rootNamespace",
        "serviceSettings",
        "tcpKeepalive",
        "tlsDefaults",
        "trustDomain",
        "trustDomainAliases",
        "verifyCertificateAtClient",
    ]
)
# Values that have an effect: on injection, or on what the control plane reads.
VALUES: Final = (
    re.compile(r"global\.proxy\.(includeIPRanges|excludeIPRanges|excludeInboundPorts|excludeOutboundPorts)"),
    re.compile(r"global\.meshID"),
    re.compile(r"pilot\.env\.[A-Z][A-Z0-9_]*"),
)
# What says where to get images from: the lab gets none, so these change nothing.
WITHOUT_EFFECT: Final = ("hub", "tag", "values.global.hub", "values.global.tag", "values.pilot.image")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_SPEC: Final = ("profile", "meshConfig", "values", "components", "hub", "tag", "revision")


class ProfileError(ValueError):
    """The installation cannot be as asked; the message says what and why."""


@dataclass(slots=True)
class Gateway:
    """One gateway: whether it is wanted, labels it has besides its own, and settings of its objects."""

    is_enabled: bool
    labels: dict[str, str] = field(default_factory=dict)
    k8s: JsonObject = field(default_factory=dict)


@dataclass(slots=True)
class Installation:
    """`notes` are what to tell people about settings that change nothing here."""

    profile: str
    ingress: Gateway
    egress: Gateway
    mesh_config: JsonObject
    values: JsonObject
    notes: list[str] = field(default_factory=list)

    @property
    def mesh(self) -> str:
        """What goes into ConfigMap `istio`, as YAML."""
        return yaml.safe_dump(self.mesh_config, sort_keys=True)


def build(files: Iterable[str], sets: Iterable[str]) -> Installation:
    """
    Merge: the profile, then files (IstioOperator YAML) in order, then `--set` in order.

    Raises:
        ProfileError: something has no effect in a lab, or cannot be read.
    """
    spec: JsonObject = {}
    for text in files:
        _merge(spec, _spec_of(text))
    for setting in sets:
        path, has_value, value = setting.partition("=")
        if not has_value:
            raise ProfileError(f"--set {setting}: expected PATH=VALUE")
        _put(spec, path, yaml.safe_load(value) if value else "")
    unknown = set(spec) - set(_SPEC)
    if unknown:
        raise ProfileError(f"unknown field {_list(unknown)}; known: {', '.join(_SPEC)}")
    profile = str(spec.get("profile", "default"))
    if profile not in PROFILES:
        raise ProfileError(f'profile "{profile}" is not supported in a lab; known: {", ".join(PROFILES)}')
    return _install(profile, spec)


def _install(profile: str, spec: JsonObject) -> Installation:
    base = PROFILES[profile]
    mesh_config = copy.deepcopy(MESH_CONFIG_DEFAULTS)
    _merge(mesh_config, base["meshConfig"])
    given = spec.get("meshConfig") or {}
    for name in given:
        if name not in MESH_CONFIG_FIELDS:
            near = difflib.get_close_matches(name, MESH_CONFIG_FIELDS, n=1)
            guess = f'; did you mean "{near[0]}"?' if near else ""
            raise ProfileError(f"meshConfig has no field {name}{guess}")
    _merge(mesh_config, given)
    values = spec.get("values") or {}
    all_values = copy.deepcopy(VALUES_DEFAULTS)
    _merge(all_values, values)
    notes = []
    for path in [*_leaves(values, "values."), *(name for name in ("hub", "tag") if name in spec)]:
        if path in WITHOUT_EFFECT:
            notes.append(f"{path} changes nothing: a lab pulls no images")
        elif not any(pattern.fullmatch(path.removeprefix("values.")) for pattern in VALUES):
            raise ProfileError(f"{path} has no effect in a lab, so it is not accepted")
    components = spec.get("components") or {}
    if (components.get("pilot") or {}).get("k8s"):
        notes.append("components.pilot.k8s changes nothing: the control plane is a part of the lab")
    return Installation(
        profile=profile,
        ingress=_gateway(components, "ingressGateways", "istio-ingressgateway", default=base["ingress"]),
        egress=_gateway(components, "egressGateways", "istio-egressgateway", default=base["egress"]),
        mesh_config=mesh_config,
        values=all_values,
        notes=notes,
    )


def _gateway(components: JsonObject, key: str, name: str, *, default: bool) -> Gateway:
    """One gateway of each kind can be switched on and off and be set up; a lab does not install more of them."""
    unknown = set(components) - {"ingressGateways", "egressGateways", "pilot", "base", "cni"}
    if unknown:
        raise ProfileError(f"component {_list(unknown)} is not supported in a lab")
    found = Gateway(default)
    for gateway in components.get(key) or []:
        if gateway.get("name", name) != name:
            raise ProfileError(f"components.{key}: only {name} can be installed, not {gateway['name']}")
        extra = set(gateway) - {"name", "enabled", "namespace", "label", "k8s"}
        if extra:
            raise ProfileError(f"components.{key}: {_list(extra)} has no effect in a lab")
        k8s = gateway.get("k8s") or {}
        if odd := gateway_settings.unknown(k8s):
            known = ", ".join(gateway_settings.FIELDS)
            raise ProfileError(f"components.{key}: k8s.{_list(odd)} has no effect in a lab; known: {known}")
        found.is_enabled = bool(gateway.get("enabled", found.is_enabled))
        found.labels |= gateway.get("label") or {}
        _merge(found.k8s, k8s)
    return found


def _spec_of(text: str) -> JsonObject:
    try:
        documents = [document for document in yaml.safe_load_all(text) if document]
    except yaml.YAMLError as error:
        raise ProfileError(f"not YAML: {error}") from error
    spec: JsonObject = {}
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") != "IstioOperator":
            raise ProfileError("expected an object of kind IstioOperator")
        _merge(spec, document.get("spec") or {})
    return spec


def _merge(base: JsonObject, over: JsonObject) -> None:
    """Lay `over` onto `base`, in place: objects merge, everything else replaces."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = copy.deepcopy(value)


def _put(spec: JsonObject, path: str, value: Any) -> None:
    """Set the value at a path such as `components.egressGateways[0].enabled`."""
    steps: list[str | int] = [int(index) if index else name for name, index in _STEP.findall(path)]
    if not steps or isinstance(steps[0], int):
        raise ProfileError(f"--set {path}: not a path")
    place: Any = spec
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(place, list) or step > len(place):
                raise ProfileError(f"--set {path}: there is no item {step}")
            if step == len(place):
                place.append(fresh)
        elif not isinstance(place, dict):
            raise ProfileError(f"--set {path}: {step} is inside of something that has no fields")
        if following is None:
            place[step] = value
        else:
            place = place[step] if isinstance(step, int) else place.setdefault(step, fresh)


def _leaves(value: Any, prefix: str) -> Iterator[str]:
    for key, item in value.items():
        if isinstance(item, dict) and item:
            yield from _leaves(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))

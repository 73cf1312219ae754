"""
What people ask for of what is deployed for a Gateway: ConfigMaps whose keys say what is laid over which object.

One may be for all Gateways of a class, by its label in the root namespace; a Gateway may name one in its own, which
comes after it. Fields are laid over one by one, and things with names by name, as `kubectl patch` does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
import yaml

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.mesh.gateway_api import deployments
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.gateway_api.conditions import Problem
from bookmesh.mesh.model import parsing
from bookmesh.mesh.model.gateway_api import gateways

CLASS_DEFAULTS: Final = "gateway.istio.io/defaults-for-class"
_KEYS: Final = {
    "deployment": "Deployment",
    "service": "Service",
    "serviceAccount": "ServiceAccount",
    "horizontalPodAutoscaler": "HorizontalPodAutoscaler",
    "podDisruptionBudget": "PodDisruptionBudget",
}
# What is made only if somebody says how it should be.
_OPTIONAL: Final = frozenset({"HorizontalPodAutoscaler", "PodDisruptionBudget"})
# By these the controller finds its own objects again.
_FIXED: Final = ("name", "generateName", "namespace", "uid", "ownerReferences", "finalizers", "managedFields")
_MERGED_BY: Final = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "secrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
_DIRECTIVE: Final = "$patch"

Objects = tuple[tuple[Resource, JsonObject], ...]


class ParametersError(ValueError):
    """What is asked for cannot be made; the message says why."""


def deployed(parsed: parsing.Parsed, spec: gateways.Gateway, inputs: inputs_.Inputs) -> Objects:
    """
    The objects that have to be there for a Gateway, in the order to make them.

    Raises:
        ParametersError: what is asked for cannot be made.

    Source: Gateway `spec.infrastructure.parametersRef`.
    """
    wanted = _overlays(parsed, spec, inputs)
    found = ((resource, _laid_over(obj, wanted)) for resource, obj in deployments.build(parsed, spec))
    return tuple((resource, obj) for resource, obj in found if obj is not None)


def problem_with(parsed: parsing.Parsed, spec: gateways.Gateway, inputs: inputs_.Inputs) -> Problem | None:
    """Why the parameters of a Gateway cannot be used; None when they can, or there are none."""
    try:
        deployed(parsed, spec, inputs)
    except ParametersError as error:
        return Problem("InvalidParameters", str(error))
    return None


def _overlays(
    parsed: parsing.Parsed, spec: gateways.Gateway, inputs: inputs_.Inputs
) -> list[Mapping[str, JsonObject]]:
    """What is laid over objects, by their kind; later ones win."""
    found: list[Mapping[str, JsonObject]] = []
    defaults = inputs.class_defaults.get(spec.gateway_class_name)
    if defaults is not None:
        found.append(_read(f"the defaults of class {spec.gateway_class_name}", defaults))
    ref = spec.infrastructure.parameters_ref if spec.infrastructure is not None else None
    if ref is None:
        return found
    if (ref.group, ref.kind) != ("", "ConfigMap"):
        raise ParametersError(
            f"Unsupported parametersRef group/kind {ref.group}/{ref.kind}, only ConfigMap is supported"
        )
    namespace = parsed.metadata.namespace
    data = inputs.config_maps.get((namespace, ref.name))
    if data is None:
        raise ParametersError(f"parametersRef ConfigMap {namespace}/{ref.name} does not exist")
    return [*found, _read(f"ConfigMap {namespace}/{ref.name}", data)]


def _read(whose: str, data: Mapping[str, str]) -> Mapping[str, JsonObject]:
    found: dict[str, JsonObject] = {}
    for key, text in data.items():
        if key not in _KEYS:
            raise ParametersError(f'{whose} has key "{key}"; known are {", ".join(_KEYS)}')
        try:
            value = orjson.loads(orjson.dumps(yaml.safe_load(text) or {}, option=orjson.OPT_NON_STR_KEYS))
        except (yaml.YAMLError, TypeError) as error:
            raise ParametersError(f"{whose}: {key} cannot be read: {error}") from error
        if not isinstance(value, dict):
            raise ParametersError(f"{whose}: {key} is no mapping")
        found[_KEYS[key]] = value
    return found


def _laid_over(obj: JsonObject, overlays: Iterable[Mapping[str, JsonObject]]) -> JsonObject | None:
    """One object with what is asked for; None for one that nobody asks for."""
    kind = obj["kind"]
    own = [overlay[kind] for overlay in overlays if kind in overlay]
    if kind in _OPTIONAL and not own:
        return None
    merged = obj
    for overlay in own:
        merged = _merge(merged, overlay)
    for name in _FIXED:
        if (merged.get("metadata") or {}).get(name) != obj["metadata"].get(name):
            raise ParametersError(f"metadata.{name} of the {kind} cannot be chosen")
    return merged | {"apiVersion": obj["apiVersion"], "kind": kind}


def _merge(current: JsonObject, patch: JsonObject) -> JsonObject:
    """Lay one mapping over another: null takes a field away, `$patch: replace` all that was there."""
    merged = {} if patch.get(_DIRECTIVE) == "replace" else dict(current)
    for key, value in patch.items():
        if key == _DIRECTIVE:
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            before = merged.get(key)
            merged[key] = _merge(before if isinstance(before, dict) else {}, value)
        elif isinstance(value, list):
            merged[key] = _merge_lists(key, merged.get(key), value)
        else:
            merged[key] = value
    return merged


def _merge_lists(field: str, current: Any, patch: list[Any]) -> list[Any]:
    """Lay things over those of the same name; a list of what has no names replaces the other."""
    key = _merge_key(field, patch)
    if not key or not isinstance(current, list) or not all(isinstance(item, dict) for item in patch):
        return patch
    theirs = {item.get(key): item for item in patch}
    known = {item.get(key) for item in current}
    kept = [
        _merge(item, theirs.get(item.get(key), {}))
        for item in current
        if theirs.get(item.get(key), {}).get(_DIRECTIVE) != "delete"
    ]
    return kept + [item for item in patch if item.get(key) not in known and item.get(_DIRECTIVE) != "delete"]


def _merge_key(field: str, patch: list[Any]) -> str:
    if field == "ports":
        is_container = any(isinstance(item, dict) and "containerPort" in item for item in patch)
        return "containerPort" if is_container else "port"
    return _MERGED_BY.get(field, "")

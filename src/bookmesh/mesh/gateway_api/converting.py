"""
The front door: everything the mesh makes of the objects of the Gateway API.

    conversion = converting.convert(inputs)
    snapshot.build(registry, [*own, *conversion.configs], ...)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.mesh.gateway_api import (
    backend_tls,
    classes,
    conditions,
    features,
    gateway_statuses,
    listeners,
    parameters,
    parents,
    routes,
)
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.model import parsing
from bookmesh.mesh.model.gateway_api import gateway_classes, gateways
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds

# A condition that is as it should be when it is False.
_GOOD_WHEN_FALSE: Final = "Conflicted"
_CODES: Final = {
    "Gateway": "BM0230",
    "Route": "BM0231",
    "Reference": "BM0232",
    "Policy": "BM0233",
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    `configs` are objects of Istio's kinds. `statuses` are what objects should say, without times and generations.
    `deployed` are the objects that Gateways need, in the order to make them. `findings` say what is wrong.
    """

    configs: tuple[parsing.Parsed, ...] = ()
    statuses: Mapping[ObjectRef, JsonObject] = field(default_factory=dict)
    deployed: tuple[tuple[Resource, JsonObject], ...] = ()
    findings: tuple[Finding, ...] = ()


def convert(inputs: inputs_.Inputs) -> Conversion:
    """Convert all objects; the order of the input does not matter."""
    if not inputs.objects:
        return Conversion()
    known = listeners.of_ours(inputs)
    made = routes.convert(known, inputs)
    policies = backend_tls.convert(inputs)
    statuses = dict(_class_statuses(inputs))
    statuses |= _gateway_statuses(known, made.attached, inputs)
    statuses |= made.statuses | policies.statuses
    own = [each.config for found in known.values() for each in found if each.config is not None]
    return Conversion(
        configs=(*own, *made.configs, *policies.configs),
        statuses=statuses,
        deployed=tuple(
            part
            for parsed, spec in inputs.of(gateways.Gateway)
            if classes.is_ours(spec, inputs)
            for part in _deployed(parsed, spec, inputs)
        ),
        findings=(
            *(finding for parsed in inputs.objects for finding in parsed.findings),
            *(finding for ref, status in statuses.items() for finding in _findings(ref, status)),
            *_missing_parents(inputs),
        ),
    )


def _deployed(parsed: parsing.Parsed, spec: gateways.Gateway, inputs: inputs_.Inputs) -> parameters.Objects:
    """What a Gateway needs; with parameters that cannot be used nothing, so that what is there stays as it is."""
    try:
        return parameters.deployed(parsed, spec, inputs)
    except parameters.ParametersError:
        return ()


def _class_statuses(inputs: inputs_.Inputs) -> Iterator[tuple[ObjectRef, JsonObject]]:
    for parsed, spec in inputs.of(gateway_classes.GatewayClass):
        if spec.controller_name == classes.CONTROLLER:
            accepted = conditions.build("Accepted", None, message="Handled by Istio controller")
            supported = sorted(feature.name for feature in features.FEATURES)
            yield (
                parsed.ref,
                {
                    "conditions": conditions.as_json((accepted,)),
                    "supportedFeatures": [{"name": name} for name in supported],
                },
            )


def _gateway_statuses(
    known: Mapping[tuple[str, str], tuple[listeners.Listener, ...]],
    attached: Mapping[str, int],
    inputs: inputs_.Inputs,
) -> dict[ObjectRef, JsonObject]:
    found: dict[ObjectRef, JsonObject] = {}
    for parsed in inputs.objects:
        if parsed.ref.kind != gateway_kinds.GATEWAY:
            continue
        own = known.get((parsed.metadata.namespace, parsed.metadata.name))
        if isinstance(parsed.spec, gateways.Gateway):
            if own is not None:
                found[parsed.ref] = gateway_statuses.build(parsed, parsed.spec, own, attached, inputs)
        else:
            found[parsed.ref] = gateway_statuses.unparsable(parsed)
    return found


def _missing_parents(inputs: inputs_.Inputs) -> Iterator[Finding]:
    """Routes of Gateways that nobody has made: no controller answers for them, so no status says so."""
    known = {
        f"{parsed.metadata.namespace}/{parsed.metadata.name}"
        for parsed in inputs.objects
        if parsed.ref.kind == gateway_kinds.GATEWAY
    }
    for parsed in inputs.objects:
        if not isinstance(parsed.spec, routes.KINDS):
            continue
        for index, ref in enumerate(parsed.spec.parent_refs):
            name = f"{ref.namespace or parsed.metadata.namespace}/{ref.name}"
            if (ref.group, ref.kind) == parents.GATEWAY and name not in known:
                yield Finding(
                    code=_CODES["Route"],
                    message=f"{parsed.ref} names Gateway {name} as a parent, and there is none",
                    subject=parsed.ref,
                    where=f"spec.parentRefs[{index}]",
                    known=", ".join(sorted(known)),
                    hint="create the Gateway, or correct name and namespace",
                    severity="warning",
                )


def _findings(ref: ObjectRef, status: JsonObject) -> Iterator[Finding]:
    """Each condition that is not as it should be, as a finding; what is only pending is none."""
    for path, owner, condition in _conditions(status):
        is_good = (condition["status"] == "True") != (condition["type"] == _GOOD_WHEN_FALSE)
        if is_good or condition["type"] == "Programmed" or condition["type"] == _GOOD_WHEN_FALSE:
            continue
        yield Finding(
            code=_code(ref, condition["type"]),
            message=f"{ref}{owner}: {condition['type']} is {condition['status']} ({condition['reason']}): "
            f"{condition['message']}",
            subject=ref,
            where=path,
            hint="`kubectl describe` shows all conditions of the object",
            severity="warning",
        )


def _code(ref: ObjectRef, type_: str) -> str:
    if ref.kind == "BackendTLSPolicy":
        return _CODES["Policy"]
    if type_ == "ResolvedRefs":
        return _CODES["Reference"]
    return _CODES["Gateway" if ref.kind == gateway_kinds.GATEWAY else "Route"]


def _conditions(status: JsonObject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (field path, whom it is about, condition) of a whole status."""
    for condition in status.get("conditions", ()):
        yield "spec", "", condition
    for index, listener in enumerate(status.get("listeners", ())):
        for condition in listener["conditions"]:
            yield f"spec.listeners[{index}]", f" listener {listener['name']}", condition
    for index, parent in enumerate(status.get("parents", ())):
        for condition in parent["conditions"]:
            yield (
                f"spec.parentRefs[{index}]",
                f" for {parent['parentRef']['kind']} {parent['parentRef']['name']}",
                (condition),
            )
    for index, ancestor in enumerate(status.get("ancestors", ())):
        for condition in ancestor["conditions"]:
            yield f"spec.targetRefs[{index}]", f" for {ancestor['ancestorRef']['name']}", condition

"""BackendTLSPolicies as DestinationRules: TLS to a service, or to one of its ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509

from bookmesh.base.findings import ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.gateway_api import classes, conditions
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.gateway_api.conditions import Problem
from bookmesh.mesh.model import base, destination_rules, internal, matching, parsing
from bookmesh.mesh.model.gateway_api import backend_tls_policies as models

_KEYS: Final = ("ca.crt", "cacert")
_MAX_ANCESTORS: Final = 16
_VALID: Final = "Configuration is valid"


@dataclass(slots=True)
class Policies:
    """What was made of all policies: DestinationRules, and statuses by object."""

    configs: list[parsing.Parsed] = field(default_factory=list)
    statuses: dict[ObjectRef, JsonObject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Applied:
    """One policy on one host; `port` None means all ports."""

    policy: parsing.Parsed
    port: int | None
    tls: internal.InlineTls | destination_rules.ClientTls


def convert(inputs: inputs_.Inputs) -> Policies:
    """Convert every policy; of two for the same target the older one counts."""
    made = Policies()
    taken: dict[tuple[str, models.PolicyTarget], str] = {}
    by_host: dict[tuple[str, str], list[_Applied]] = {}
    for parsed, spec in inputs.of(models.BackendTlsPolicy):
        namespace = parsed.metadata.namespace
        trusted, unresolved = _trusted(spec.validation, namespace, inputs)
        tls = _tls(spec.validation, trusted, is_broken=unresolved is not None)
        ancestors: list[JsonObject] = []
        for target in spec.target_refs:
            hosts, port, problem = _target(target, namespace, inputs)
            older = taken.setdefault((namespace, target), parsed.metadata.name)
            if problem is None and older != parsed.metadata.name:
                message = f'Conflicts with BackendTLSPolicy "{namespace}/{older}" targeting the same backend'
                problem = Problem("Conflicted", message)
            if problem is None:
                for host in hosts:
                    by_host.setdefault((namespace, host), []).append(_Applied(parsed, port, tls))
                if unresolved is not None:
                    problem = Problem("NoValidCACertificate", unresolved.message)
            ancestors.append(_ancestor(target, problem, unresolved))
        made.statuses[parsed.ref] = {"ancestors": ancestors[:_MAX_ANCESTORS]}
    made.configs = [_rule(namespace, host, found) for (namespace, host), found in by_host.items()]
    return made


def _ancestor(target: models.PolicyTarget, problem: Problem | None, unresolved: Problem | None) -> JsonObject:
    ref = {"group": target.group, "kind": target.kind, "name": target.name}
    if target.section_name:
        ref["sectionName"] = target.section_name
    return {
        "ancestorRef": ref,
        "controllerName": classes.MESH_CONTROLLER,
        "conditions": conditions.as_json(
            (
                conditions.build("Accepted", problem, message=_VALID),
                conditions.build("ResolvedRefs", unresolved, message=_VALID),
            )
        ),
    }


def _target(
    target: models.PolicyTarget, namespace: str, inputs: inputs_.Inputs
) -> tuple[tuple[str, ...], int | None, Problem | None]:
    """The hosts and the port that a target means, or why it cannot be used."""
    hosts: tuple[str, ...] = ()
    ports: dict[str, int] = {}
    match target.group, target.kind:
        case "", "Service":
            service = inputs.service(namespace, target.name)
            hosts = (service.hostname,) if service is not None else ()
            ports = {port.name: port.number for port in service.ports} if service is not None else {}
        case "networking.istio.io", "ServiceEntry":
            entry = inputs.service_entry(namespace, target.name)
            hosts = tuple(host.lower() for host in entry.hosts) if entry is not None else ()
            ports = {port.name: port.number for port in entry.ports} if entry is not None else {}
        case _:
            message = f"targetRefs invalid: unsupported reference kind: {target.kind}"
            return (), None, Problem("TargetNotFound", message)
    if not hosts:
        message = f"targetRefs invalid: reference {namespace}/{target.name} (of kind {target.kind}) not found"
        return (), None, Problem("TargetNotFound", message)
    if target.section_name and target.section_name not in ports:
        message = f'targetRefs invalid: {namespace}/{target.name} has no port named "{target.section_name}"'
        return (), None, Problem("TargetNotFound", message)
    return hosts, ports.get(target.section_name), None


def _trusted(
    validation: models.BackendTlsValidation, namespace: str, inputs: inputs_.Inputs
) -> tuple[str, Problem | None]:
    """Certificates in PEM of those that sign the service's, "" for those of the system; or why there are none."""
    if not validation.ca_certificate_refs:
        return "", None
    found: list[str] = []
    for ref in validation.ca_certificate_refs:
        if (ref.group, ref.kind) != ("", "ConfigMap"):
            message = f"Certificate reference not supported: {ref.kind} {ref.name} is no ConfigMap"
            return "", Problem("InvalidKind", message)
        data = inputs.config_maps.get((namespace, ref.name))
        if data is None:
            message = f"Certificate reference not found: ConfigMap {namespace}/{ref.name} not found"
            return "", Problem("InvalidCACertificateRef", message)
        text = next((data[key] for key in _KEYS if data.get(key)), "")
        try:
            x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            message = f"Certificate invalid: ConfigMap {namespace}/{ref.name} has no certificates in ca.crt"
            return "", Problem("InvalidCACertificateRef", message)
        found.append(text if text.endswith("\n") else f"{text}\n")
    return "".join(found), None


def _tls(
    validation: models.BackendTlsValidation, trusted: str, *, is_broken: bool
) -> destination_rules.ClientTls:
    """A policy that names no usable certificates trusts nobody: the service must not be called without them."""
    names = tuple(each.hostname or each.uri or "" for each in validation.subject_alt_names)
    names = tuple(filter(None, names)) or (validation.hostname,)
    if validation.well_known_ca_certificates is not None:
        return destination_rules.ClientTls(mode="SIMPLE", sni=validation.hostname, subject_alt_names=names)
    return internal.InlineTls(
        mode="SIMPLE",
        sni=validation.hostname,
        subject_alt_names=names,
        trusted="" if is_broken else trusted,
    )


def _rule(namespace: str, host: str, applied: list[_Applied]) -> parsing.Parsed:
    whole = next((each.tls for each in applied if each.port is None), None)
    by_port = {each.port: each.tls for each in reversed(applied) if each.port is not None}
    policy = destination_rules.TrafficPolicy(
        tls=whole,
        port_level_settings=tuple(
            destination_rules.PortTrafficPolicy(port=matching.PortSelector(number=number), tls=tls)
            for number, tls in sorted(by_port.items())
        ),
    )
    sources = list(dict.fromkeys(_sources(applied)))
    contents = "+".join(each.trusted for each in _all_tls(applied) if isinstance(each, internal.InlineTls))
    return parsing.Parsed(
        ref=applied[0].policy.ref,
        digest="+".join((*(each.policy.digest for each in applied), contents, str(by_port.keys()))),
        metadata=base.Metadata(
            name=f"{host}-istio-autogenerated-k8s-gateway",
            namespace=namespace,
            creation_timestamp=applied[0].policy.metadata.creation_timestamp,
        ),
        spec=destination_rules.DestinationRule(host=host, traffic_policy=policy),
        is_derived=True,
        origins=tuple(sources),
        api=applied[0].policy.api,
    )


def _sources(applied: list[_Applied]) -> Iterator[ObjectRef]:
    return (each.policy.ref for each in applied)


def _all_tls(applied: list[_Applied]) -> Iterator[destination_rules.ClientTls]:
    return (each.tls for each in applied)

"""What a Gateway's status says: whether it is accepted and programmed, where it can be reached, and its listeners."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.gateway_api import conditions, deployments, listeners, parameters
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.gateway_api.conditions import Problem
from bookmesh.mesh.model import parsing
from bookmesh.mesh.model.gateway_api import gateways


@dataclass(slots=True)
class _Reached:
    """
    Where a gateway's listeners can be called: (service:port), addresses that are known, and what is still missing.

    `is_usable`: what is missing may come by itself.
    """

    internal: list[str] = field(default_factory=list)
    external: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    is_usable: bool = True


def build(
    parsed: parsing.Parsed,
    spec: gateways.Gateway,
    own: Sequence[listeners.Listener],
    attached: Mapping[str, int],
    inputs: inputs_.Inputs,
) -> JsonObject:
    """Build the status of one of our Gateways."""
    reached = _reach(parsed, spec, own, inputs)
    addresses = reached.external or reached.names
    status: JsonObject = {
        "conditions": conditions.as_json(
            (
                _accepted(parsed, spec, own, inputs),
                _programmed(reached, own),
                conditions.build("ResolvedRefs", None, message="All references resolved"),
            )
        ),
        "listeners": [listeners.status(each, attached.get(each.name, 0)) for each in own],
    }
    if addresses:
        status["addresses"] = [{"type": _type_of(value), "value": value} for value in addresses]
    return status


def unparsable(parsed: parsing.Parsed) -> JsonObject:
    """The status of a Gateway that cannot be read."""
    words = "; ".join(finding.message for finding in parsed.findings) or "it cannot be read"
    problem = Problem("Invalid", words)
    return {
        "conditions": conditions.as_json(
            (
                conditions.build("Accepted", problem, message=""),
                conditions.build("Programmed", problem, message=""),
            )
        )
    }


def _accepted(
    parsed: parsing.Parsed,
    spec: gateways.Gateway,
    own: Sequence[listeners.Listener],
    inputs: inputs_.Inputs,
) -> conditions.Condition:
    unusable = [address.value for address in spec.addresses if address.type not in ("Hostname", "IPAddress")]
    if not deployments.is_managed(spec):
        unusable = [address.value for address in spec.addresses if address.type != "Hostname"]
    if unusable:
        problem = Problem("UnsupportedAddress", f"only Hostname is supported, ignoring {unusable}")
        return conditions.build("Accepted", problem, message="")
    invalid = parameters.problem_with(parsed, spec, inputs)
    if invalid is not None:
        return conditions.build("Accepted", invalid, message="")
    valid = [each for each in own if each.is_valid]
    if not valid:
        problem = Problem("ListenersNotValid", "None of the Gateway's listeners are valid")
        return conditions.build("Accepted", problem, message="")
    if len(valid) < len(own):
        message = "One or more of the Gateway's listeners are invalid"
        return conditions.build("Accepted", None, reason="ListenersNotValid", message=message)
    return conditions.build("Accepted", None, message="Resource accepted")


def _programmed(reached: _Reached, own: Sequence[listeners.Listener]) -> conditions.Condition:
    where = _listed(reached.internal)
    if not any(each.is_valid for each in own):
        problem = Problem("Invalid", "None of the Gateway's listeners are valid")
        return conditions.build("Programmed", problem, message="")
    if reached.missing:
        words = "; ".join(reached.missing)
        message = f"Failed to assign to any requested addresses: {words}"
        if where:
            message = (
                f"Assigned to service(s) {where}, but failed to assign to all requested addresses: {words}"
            )
        reason = "AddressNotAssigned" if reached.is_usable else "AddressNotUsable"
        return conditions.build("Programmed", Problem(reason, message), message="")
    message = f"Resource programmed, assigned to service(s) {where}" if where else "Resource programmed"
    return conditions.build("Programmed", None, message=message)


def _reach(
    parsed: parsing.Parsed,
    spec: gateways.Gateway,
    own: Sequence[listeners.Listener],
    inputs: inputs_.Inputs,
) -> _Reached:
    reached = _Reached()
    ports = sorted({each.spec.port for each in own if each.is_valid})
    named = deployments.services_of(parsed, spec, domain=inputs.domain)
    if not named:
        reached.missing.append("no Service is named")
        reached.is_usable = False
    for host in named:
        service = inputs.registry.services.get(host)
        if service is None or service.namespace != parsed.metadata.namespace:
            reached.missing.append(f'hostname "{host}" not found')
            reached.is_usable = reached.is_usable and deployments.is_managed(spec)
            continue
        served = [port for port in ports if inputs.registry.is_served(service, port)]
        reached.internal += [f"{host}:{port}" for port in served]
        for port in ports:
            if service.port(port) is None:
                reached.missing.append(f'port {port} not found for hostname "{host}"')
                reached.is_usable = reached.is_usable and deployments.is_managed(spec)
        if ports and not served:
            reached.missing.append(f'no instances found for hostname "{host}"')
        external = inputs.external_addresses.get((service.namespace, service.name))
        if external:
            reached.external += external
        elif external is not None:
            reached.missing.append(f'address pending for hostname "{host}"')
        else:
            reached.names.append(host)
    return reached


def reached(inputs: inputs_.Inputs) -> Iterator[tuple[str, int]]:
    """Yield (host, port) of the Services of Gateways behind which there is anybody: all that counts of endpoints."""
    for parsed, spec in inputs.of(gateways.Gateway):
        for host in deployments.services_of(parsed, spec, domain=inputs.domain):
            service = inputs.registry.services.get(host)
            for port in service.ports if service is not None else ():
                if service is not None and inputs.registry.is_served(service, port.number):
                    yield host, port.number


def _type_of(address: str) -> str:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return "Hostname"
    return "IPAddress"


def _listed(names: Sequence[str]) -> str:
    if len(names) <= 2:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"

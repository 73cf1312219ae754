"""Where a rule sends traffic: backendRefs as destinations, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bookmesh.mesh.gateway_api import grants
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.gateway_api.conditions import Problem
from bookmesh.mesh.model import internal, matching, parsing, virtual_services

_SERVICE: Final = ("", "Service")
_HOSTNAME: Final = ("networking.istio.io", "Hostname")


class Reference(Protocol):
    """What all kinds of backendRefs have in common."""

    @property
    def group(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def port(self) -> int | None: ...


class WeightedReference(Reference, Protocol):
    """A backendRef with its share."""

    @property
    def weight(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Context:
    """The route whose rules are converted. In the mesh references need no grant, as in Istio."""

    route: parsing.Parsed
    kind: str
    inputs: inputs_.Inputs
    is_mesh: bool

    @property
    def namespace(self) -> str:
        return self.route.metadata.namespace


def destination(ref: Reference, context: Context) -> tuple[matching.Destination, Problem | None]:
    """
    The destination of a backendRef; one that cannot be used leads nowhere, and says why.

    A service that lacks the port leads nowhere too, though the reference as such is in order.
    """
    namespace = ref.namespace or context.namespace
    if not context.is_mesh and not grants.is_granted(
        context.inputs,
        kind=context.kind,
        namespace=context.namespace,
        to_group=ref.group,
        to_kind=ref.kind,
        to_namespace=namespace,
        to_name=ref.name,
    ):
        message = (
            f"backendRef {ref.name}/{namespace} not accessible to a {context.kind} in namespace "
            f'"{context.namespace}" (missing a ReferenceGrant?)'
        )
        return internal.NOWHERE, Problem("RefNotPermitted", message)
    if (ref.group, ref.kind) not in (_SERVICE, _HOSTNAME):
        message = f'referencing unsupported backendRef: group "{ref.group}" kind "{ref.kind}"'
        return internal.NOWHERE, Problem("InvalidKind", message)
    is_service = (ref.group, ref.kind) == _SERVICE
    problem = _misuse(ref, is_service=is_service)
    if problem is not None:
        return internal.NOWHERE, problem
    host = context.inputs.hostname(namespace, ref.name) if is_service else ref.name.lower()
    service = context.inputs.registry.services.get(host)
    if service is None:
        return internal.NOWHERE, Problem("BackendNotFound", f"backend({host}) not found")
    if ref.port is None or service.port(ref.port) is None:
        return internal.NOWHERE, None
    return matching.Destination(host=host, port=matching.PortSelector(number=ref.port)), None


def _misuse(ref: Reference, *, is_service: bool) -> Problem | None:
    """What makes no reference at all; Istio takes nothing of a route with one, in words of its own."""
    if is_service and "." in ref.name:
        message = "service name invalid; the name of the Service must be used, not the hostname."
    elif not is_service and ref.namespace:
        message = "namespace may not be set with Hostname type"
    elif ref.port is None:
        message = "port is required in backendRef"
    else:
        return None
    return Problem("InvalidDestination", message, is_fatal=True)


def connection_targets(
    refs: Sequence[WeightedReference], context: Context
) -> tuple[tuple[virtual_services.RouteDestination, ...], tuple[Problem | None, ...]]:
    """Destinations of a TCPRoute or TLSRoute; without any that has a weight connections are closed."""
    used = [ref for ref in refs if ref.weight > 0]
    if not used:
        return (virtual_services.RouteDestination(destination=internal.NOWHERE),), ()
    found = [destination(ref, context) for ref in used]
    targets = tuple(
        virtual_services.RouteDestination(destination=target, weight=ref.weight)
        for ref, (target, _) in zip(used, found, strict=True)
    )
    return targets, tuple(problem for _, problem in found)

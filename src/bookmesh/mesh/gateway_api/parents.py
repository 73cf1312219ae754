"""What a route belongs to: each of its parentRefs, with every listener it attaches to or why it may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.gateway_api import conditions, hostnames, listeners
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.gateway_api.conditions import Problem
from bookmesh.mesh.model import parsing
from bookmesh.mesh.model.gateway_api.references import GROUP, ParentReference

Listeners = Mapping[tuple[str, str], tuple[listeners.Listener, ...]]

_SERVICE: Final = ("", "Service")
_SERVICE_ENTRY: Final = ("networking.istio.io", "ServiceEntry")
GATEWAY: Final = (GROUP, "Gateway")
# Of several listeners that refuse a route, the reason that comes closest to accepting it is told.
_NEAREST: Final = ("NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent")


@dataclass(frozen=True, slots=True)
class Parent:
    """
    One parentRef that is ours to answer.

    `listeners` are those it attaches to, with what the route has in common with each: hosts, never empty. In the mesh
    `hosts` are the names of the service. `problem` is why it attaches to nothing.
    """

    ref: ParentReference
    listeners: tuple[tuple[listeners.Listener, tuple[str, ...]], ...] = ()
    hosts: tuple[str, ...] = ()
    namespace: str = ""
    problem: Problem | None = None

    @property
    def is_mesh(self) -> bool:
        return (self.ref.group, self.ref.kind) != GATEWAY


def resolve(
    route: parsing.Parsed,
    refs: Sequence[ParentReference],
    hosts: Sequence[str],
    *,
    kind: str,
    known: Listeners,
    inputs: inputs_.Inputs,
) -> list[Parent]:
    """Resolve a route's parentRefs, in order; those of other controllers are left out."""
    found = (
        _resolve(route, ref, hosts, kind=kind, known=known, inputs=inputs) for ref in dict.fromkeys(refs)
    )
    return [parent for parent in found if parent is not None]


def _resolve(
    route: parsing.Parsed,
    ref: ParentReference,
    hosts: Sequence[str],
    *,
    kind: str,
    known: Listeners,
    inputs: inputs_.Inputs,
) -> Parent | None:
    namespace = ref.namespace or route.metadata.namespace
    match (ref.group, ref.kind):
        case where if where == GATEWAY:
            candidates = known.get((namespace, ref.name))
            if candidates is None:
                return None
            return _attach(route, ref, hosts, kind=kind, candidates=candidates)
        case where if where == _SERVICE:
            service = inputs.service(namespace, ref.name)
            if service is None:
                problem = Problem("NoMatchingParent", f'parent service: "{ref.name}" not found')
                return Parent(ref, namespace=namespace, problem=problem)
            return Parent(ref, hosts=(service.hostname,), namespace=namespace)
        case where if where == _SERVICE_ENTRY:
            entry = inputs.service_entry(namespace, ref.name)
            if entry is None:
                problem = Problem("NoMatchingParent", f'parent service entry: "{ref.name}" not found')
                return Parent(ref, namespace=namespace, problem=problem)
            return Parent(ref, hosts=tuple(host.lower() for host in entry.hosts), namespace=namespace)
    return None


def _attach(
    route: parsing.Parsed,
    ref: ParentReference,
    hosts: Sequence[str],
    *,
    kind: str,
    candidates: Sequence[listeners.Listener],
) -> Parent:
    attached: list[tuple[listeners.Listener, tuple[str, ...]]] = []
    problems: list[Problem] = []
    for listener in candidates:
        if listener.is_conflicted:
            continue
        shared = hostnames.intersections(hosts, listener.hostname)
        problem = _problem(route, ref, listener, kind=kind, shared=shared)
        if problem is None:
            attached.append((listener, shared))
        else:
            problems.append(problem)
    if attached:
        return Parent(ref, listeners=tuple(attached))
    if not problems:
        return Parent(ref, problem=Problem("NoMatchingParent", "the Gateway has no usable listener"))
    nearest = min(problems, key=lambda each: _NEAREST.index(each.reason)).reason
    return Parent(ref, problem=conditions.joined(each for each in problems if each.reason == nearest))


def _problem(
    route: parsing.Parsed,
    ref: ParentReference,
    listener: listeners.Listener,
    *,
    kind: str,
    shared: tuple[str, ...],
) -> Problem | None:
    if ref.port is not None and ref.port != listener.spec.port:
        return Problem("NoMatchingParent", f"port {ref.port} not found")
    if ref.section_name and ref.section_name != listener.spec.name:
        return Problem("NoMatchingParent", f'sectionName "{ref.section_name}" not found')
    if not shared:
        message = f'no hostnames matched parent hostname "{listener.hostname}"'
        return Problem("NoMatchingListenerHostname", message)
    if not listener.admits(route.metadata.namespace):
        message = f'namespace "{route.metadata.namespace}" is not allowed by the parent'
        return Problem("NotAllowedByListeners", message)
    if kind not in listener.kinds:
        return Problem("NotAllowedByListeners", f"kind {kind} is not allowed")
    return None


def reference_json(ref: ParentReference) -> JsonObject:
    """A parentRef as the route has it, for its status."""
    optional = {"namespace": ref.namespace, "sectionName": ref.section_name, "port": ref.port}
    given = {key: value for key, value in optional.items() if value not in ("", None)}
    return {"group": ref.group, "kind": ref.kind, "name": ref.name, **given}


def accepted(parent: Parent) -> conditions.Condition:
    """The condition Accepted of a route for one parent."""
    count = len(parent.listeners)
    message = f"Route was valid, bound to {count} parents" if count > 1 else "Route was valid"
    return conditions.build("Accepted", parent.problem, message=message)


def attachments(found: Sequence[Parent]) -> Iterator[str]:
    """The names of the listeners that accepted a route, each once."""
    yield from dict.fromkeys(listener.name for parent in found for listener, _ in parent.listeners)

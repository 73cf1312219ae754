"""
Routes as VirtualServices: one for each listener and host, or for each service of the mesh.

Rules of all routes for the same listener and host are put in one order, whatever route they come from: the Gateway API
knows no other precedence than how specific a condition is, and then age.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bookmesh.base.findings import ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.gateway_api import backends, classes, conditions, hostnames, parents, precedence, rules
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.gateway_api.conditions import Problem
from bookmesh.mesh.model import base, parsing, virtual_services
from bookmesh.mesh.model.gateway_api import connection_routes, grpc_routes, http_routes
from bookmesh.mesh.snapshot import routing

MESH: Final = "mesh"
_HTTP: Final = (http_routes.HttpRoute, grpc_routes.GrpcRoute)
KINDS: Final = (*_HTTP, connection_routes.TlsRoute, connection_routes.TcpRoute)

Route = (
    http_routes.HttpRoute | grpc_routes.GrpcRoute | connection_routes.TlsRoute | connection_routes.TcpRoute
)


@dataclass(frozen=True, slots=True)
class Key:
    """
    What one VirtualService is for: a gateway (NAMESPACE/NAME, or `mesh`) and a host, in the mesh also the namespace of
    the routes. `is_private`: for that namespace only.
    """

    gateway: str
    host: str
    namespace: str = ""
    is_private: bool = False


@dataclass(slots=True)
class _Draft:
    """A VirtualService in the making."""

    sources: list[parsing.Parsed] = field(default_factory=list)
    http: list[virtual_services.HttpRoute] = field(default_factory=list)
    tls: list[virtual_services.TlsRoute] = field(default_factory=list)
    tcp: list[virtual_services.TcpRoute] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.http or self.tls or self.tcp)

    def add_source(self, parsed: parsing.Parsed) -> None:
        if parsed not in self.sources:
            self.sources.append(parsed)


@dataclass(slots=True)
class Routes:
    """
    What was made of all routes: VirtualServices, statuses by object, and how many routes each listener (by its name)
    has.
    """

    configs: list[parsing.Parsed] = field(default_factory=list)
    statuses: dict[ObjectRef, JsonObject] = field(default_factory=dict)
    attached: dict[str, int] = field(default_factory=dict)


def convert(known: parents.Listeners, inputs: inputs_.Inputs) -> Routes:
    """Convert every route that has a parent of ours."""
    made = Routes()
    drafts: dict[Key, _Draft] = {}
    for parsed in inputs.objects:
        spec = parsed.spec
        if not isinstance(spec, KINDS):
            continue
        kind = parsed.ref.kind
        hosts = () if isinstance(spec, connection_routes.TcpRoute) else spec.hostnames
        found = parents.resolve(parsed, spec.parent_refs, hosts, kind=kind, known=known, inputs=inputs)
        if not found:
            continue
        for name in parents.attachments(found):
            made.attached[name] = made.attached.get(name, 0) + 1
        problems: list[Problem | None] = []
        for parent in found:
            context = backends.Context(parsed, kind, inputs, parent.is_mesh)
            keys = list(_keys(parsed, spec, parent, known))
            problems.append(_add(drafts, keys, spec, parent, context))
        made.statuses[parsed.ref] = _status(found, problems)
    made.configs = [_finish(key, draft) for key, draft in drafts.items() if not draft.is_empty]
    return made


def _status(found: Sequence[parents.Parent], problems: Sequence[Problem | None]) -> JsonObject:
    return {
        "parents": [
            {
                "parentRef": parents.reference_json(parent.ref),
                "controllerName": classes.CONTROLLER,
                "conditions": conditions.as_json(
                    (
                        parents.accepted(parent),
                        conditions.build("ResolvedRefs", problem, message="All references resolved"),
                    )
                ),
            }
            for parent, problem in zip(found, problems, strict=True)
        ]
    }


def _add(
    drafts: dict[Key, _Draft],
    keys: Sequence[tuple[Key, tuple[str, ...]]],
    spec: Route,
    parent: parents.Parent,
    context: backends.Context,
) -> Problem | None:
    """Add a route's rules to the VirtualServices of one parent; returns what is wrong with the rules."""
    port = (parent.ref.port or 0) if parent.is_mesh else 0
    found = [drafts.setdefault(key, _Draft()) for key, _ in keys]
    for draft in found:
        draft.add_source(context.route)
    if isinstance(spec, _HTTP):
        converted = rules.convert(spec.rules, context)
        for draft in found:
            draft.http += rules.at_port(converted.routes, port)
        return converted.problem
    targets_of_rules = [backends.connection_targets(rule.backend_refs, context) for rule in spec.rules]
    problems = [problem for _, wrong in targets_of_rules for problem in wrong]
    fatal = conditions.fatal(problems)
    if fatal is not None:
        return fatal
    for targets, _ in targets_of_rules:
        for draft, (_, hosts) in zip(found, keys, strict=True):
            if isinstance(spec, connection_routes.TlsRoute):
                match = virtual_services.TlsMatchAttributes(sni_hosts=hosts, port=port)
                draft.tls.append(virtual_services.TlsRoute(match=(match,), route=targets))
            else:
                l4_match = (virtual_services.L4MatchAttributes(port=port),) if port else ()
                draft.tcp.append(virtual_services.TcpRoute(match=l4_match, route=targets))
    return conditions.joined(problems)


def _keys(
    parsed: parsing.Parsed, spec: Route, parent: parents.Parent, known: parents.Listeners
) -> Iterator[tuple[Key, tuple[str, ...]]]:
    """
    The VirtualServices to which a route contributes for one parent, with the server names of a TLSRoute there.

    In the mesh a route in the namespace of the service is for everybody, and one elsewhere for its own namespace.
    """
    namespace = parsed.metadata.namespace
    if parent.problem is not None:
        return
    if parent.is_mesh:
        is_private = parent.namespace != namespace
        for host in parent.hosts:
            named = spec.hostnames if isinstance(spec, connection_routes.TlsRoute) else ()
            yield Key(MESH, host, namespace, is_private), tuple(named) or (host,)
        return
    for listener, shared in parent.listeners:
        if not listener.is_valid:
            continue
        others = [
            each.hostname
            for each in known[listener.gateway.metadata.namespace, listener.gateway.metadata.name]
            if (each.spec.port, each.spec.protocol) == (listener.spec.port, listener.spec.protocol)
        ]
        for host in shared:
            if not hostnames.belongs_elsewhere(host, listener.hostname, others):
                yield Key(listener.name, host), (host,)


def _finish(key: Key, draft: _Draft) -> parsing.Parsed:
    sources = draft.sources
    oldest = sources[0].metadata
    spec = virtual_services.VirtualService(
        hosts=(key.host,),
        gateways=(key.gateway,),
        http=precedence.in_order(draft.http),
        tls=tuple(draft.tls),
        tcp=tuple(draft.tcp),
        export_to=(".",) if key.is_private else (),
    )
    parts = (key.namespace, key.gateway.replace("/", "-"), key.host, "istio-autogenerated-k8s-gateway")
    return parsing.Parsed(
        ref=sources[0].ref,
        digest="+".join((f"{key}", *(source.digest for source in sources), _summary(spec))),
        metadata=base.Metadata(
            name="-".join(filter(None, parts)),
            namespace=oldest.namespace,
            creation_timestamp=oldest.creation_timestamp,
            annotations={routing.SEMANTICS_ANNOTATION: "gateway"},
        ),
        spec=spec,
        is_derived=True,
        origins=tuple(source.ref for source in sources),
        api=sources[0].api,
    )


def _summary(spec: virtual_services.VirtualService) -> str:
    """What references lead to depends on more than the routes: on grants and on which services there are."""
    return hashlib.blake2b(msgspec.json.encode(spec), digest_size=8).hexdigest()

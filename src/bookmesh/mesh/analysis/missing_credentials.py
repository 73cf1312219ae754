"""BM0209: a server of a Gateway, or TLS of a DestinationRule, needs a secret that is missing or cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.mesh.model import gateways as models
from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import gateways, policies
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    """Secrets are looked for where the gateway's pods run, not where the Gateway is."""
    for parsed, gateway in snapshots.gateways_in(snapshot.configs).values():
        needing = [
            (f"spec.servers[{index}].tls", server.tls)
            for index, server in enumerate(gateway.servers)
            if server.tls is not None and server.tls.mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL")
        ]
        namespaces = _namespaces_of([gateway], snapshot) if needing and gateway.selector else ()
        for path, tls in needing:
            for namespace in namespaces:
                yield from _problems(snapshot, parsed.ref, path, tls, namespace)


def check_rule(rule: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    """Only gateways take certificates for DestinationRules from secrets; one namespace with the secret is enough."""
    settings = [level.tls for level in policies.spec_of(rule).levels() if level.tls is not None]
    needing = [tls for tls in settings if tls.credential_name and tls.mode in ("SIMPLE", "MUTUAL")]
    namespaces = _gateway_namespaces(snapshot) if needing else []
    for tls in needing:
        name = tls.credential_name
        problems = [
            snapshot.credentials.problem(
                namespace,
                name,
                needs_pair=tls.mode == "MUTUAL",
                needs_trusted=not tls.insecure_skip_verify,
            )
            for namespace in namespaces
        ]
        if all(problems):
            where = ", ".join(namespaces) or "of a gateway"
            yield Finding(
                code="BM0209",
                message=f'{rule.ref} needs secret "{name}" in namespace {where}, which '
                + (problems[0] if problems else "no Gateway selects pods in"),
                subject=rule.ref,
                where="spec.trafficPolicy.tls.credentialName",
                known=near_misses.listed(
                    n for namespace in namespaces for n in snapshot.credentials.names_in(namespace)
                ),
                hint="create it where the gateway runs; sidecars take certificates from files only",
            )


def _gateway_namespaces(snapshot: snapshots.MeshSnapshot) -> list[str]:
    """Where pods are that some Gateway selects, sorted."""
    found = [gateway for _, gateway in snapshots.gateways_in(snapshot.configs).values() if gateway.selector]
    return _namespaces_of(found, snapshot)


def _namespaces_of(found: Iterable[models.Gateway], snapshot: snapshots.MeshSnapshot) -> list[str]:
    """Where pods are that one of these Gateways selects, sorted."""
    return sorted(
        {
            workload.namespace
            for workload in snapshot.registry.workloads.values()
            for gateway in found
            if gateways.selects(gateway, workload, snapshot.registry)
        }
    )


def _problems(
    snapshot: snapshots.MeshSnapshot, ref: ObjectRef, path: str, tls: models.ServerTls, namespace: str
) -> Iterator[Finding]:
    credentials = snapshot.credentials
    needed = [
        (name, True, tls.asks_for_certificates and not tls.ca_cert_credential_name)
        for name in tls.credentials
    ]
    if tls.asks_for_certificates and tls.ca_cert_credential_name:
        needed.append((tls.ca_cert_credential_name, False, True))
    for name, needs_pair, needs_trusted in needed:
        problem = credentials.problem(namespace, name, needs_pair=needs_pair, needs_trusted=needs_trusted)
        if not problem:
            continue
        known = list(credentials.names_in(namespace))
        hint = f"kubectl create -n {namespace} secret tls {name} --cert=FILE --key=FILE"
        if needs_trusted:
            hint = f"kubectl create -n {namespace} secret generic {name} --from-file=tls.crt=FILE "
            hint += "--from-file=tls.key=FILE --from-file=ca.crt=FILE"
        guess = "" if name in known else near_misses.did_you_mean(name, known)
        yield Finding(
            code="BM0209",
            message=f'{ref} needs secret "{name}" in namespace {namespace}, which {problem}',
            subject=ref,
            where=f"{path}.{'credentialName' if needs_pair else 'caCertCredentialName'}",
            known=near_misses.listed(known),
            hint=f"{guess}{hint}; nothing listens for this server until then",
        )

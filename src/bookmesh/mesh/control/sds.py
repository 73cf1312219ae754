"""Certificates as Envoy secrets, under the names Istio's configuration refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from bookmesh.mesh.identity.certificates import WorkloadCertificate
from bookmesh.mesh.model import destination_rules, parsing
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot.snapshot import MeshSnapshot, credential_names
from bookmesh.mesh.translate import naming
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.resources import Encoded

WORKLOAD: Final = "default"
ROOT: Final = "ROOTCA"


def build_secrets(certificate: WorkloadCertificate) -> dict[str, Encoded]:
    """Build the secrets of the mesh's own certificates, by name."""
    workload = secret_pb2.Secret(name=WORKLOAD)
    workload.tls_certificate.certificate_chain.inline_bytes = certificate.chain
    workload.tls_certificate.private_key.inline_bytes = certificate.key
    root = secret_pb2.Secret(name=ROOT)
    root.validation_context.trusted_ca.inline_bytes = certificate.root
    return _encode((workload, root))


class Selection(NamedTuple):
    """A DestinationRule for some clients of its namespace, and the secrets it names."""

    namespace: str
    labels: Mapping[str, str]
    names: frozenset[str]


def selections(snapshot: MeshSnapshot) -> tuple[Selection, ...]:
    """The rules that give secrets to sidecars."""
    return snapshot.configs.derive(destination_rules.DestinationRule, _selections_of)


def _selections_of(rules: Iterable[parsing.Parsed]) -> tuple[Selection, ...]:
    found = []
    for parsed in rules:
        spec = parsed.spec
        if isinstance(spec, destination_rules.DestinationRule) and spec.workload_selector is not None:
            names = {level.tls.credential_name for level in spec.levels() if level.tls is not None} - {""}
            if names:
                labels = spec.workload_selector.match_labels
                found.append(Selection(parsed.metadata.namespace, labels, frozenset(names)))
    return tuple(found)


def names_for(proxy: proxies.Proxy, chosen: Iterable[Selection]) -> set[str]:
    """The secrets that a sidecar may need."""
    return {
        name
        for one in chosen
        if one.namespace == proxy.namespace and one.labels.items() <= proxy.labels.items()
        for name in one.names
    }


def build_credentials(
    snapshot: MeshSnapshot, namespace: str, names: Iterable[str] | None = None
) -> dict[str, Encoded]:
    """
    Build the secrets of one namespace that proxies there may need, as `kubernetes://NAME` and `kubernetes://NAME-cacert`.

    Without `names` those that some Gateway or DestinationRule names, which is what gateways get.
    """
    secrets: list[secret_pb2.Secret] = []
    credentials = snapshot.credentials
    for name in sorted(credential_names(snapshot.configs, namespace) if names is None else names):
        pair = credentials.pair(namespace, name)
        if pair is not None:
            secret = secret_pb2.Secret(name=naming.pair_secret(name))
            secret.tls_certificate.certificate_chain.inline_bytes = pair.certificate
            secret.tls_certificate.private_key.inline_bytes = pair.key
            secrets.append(secret)
        trusted = credentials.trusted(namespace, name)
        if trusted:
            secret = secret_pb2.Secret(name=naming.trusted_secret(name))
            secret.validation_context.trusted_ca.inline_bytes = trusted
            secrets.append(secret)
    return _encode(secrets)


def _encode(secrets: Iterable[secret_pb2.Secret]) -> dict[str, Encoded]:
    return {
        secret.name: resources.encode(
            type_urls.SECRET, secret.name, secret.SerializeToString(deterministic=True)
        )
        for secret in secrets
    }

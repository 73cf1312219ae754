"""Which strategy belongs to which kind."""

from __future__ import annotations

from collections.abc import Mapping

from bookmesh.kube.api import metadata
from bookmesh.kube.api.strategies import (
    admission_policies,
    api_services,
    base,
    certificate_requests,
    custom_resource_definitions,
    jobs,
    namespaces,
    pods,
    secrets,
    services,
    storage_classes,
    volume_claims,
    volumes,
)
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.store import store as stores

Strategies = Mapping[tuple[str, str], base.Strategy]


def build(
    store: stores.Store,
    kinds: kinds_module.Kinds,
    clock: metadata.Clock,
    signer: certificate_requests.Signer | None = None,
    *,
    schemas: schemas_module.Schemas,
) -> Strategies:
    """Build the strategies by (group, plural); a kind that is missing has `base.Strategy`."""
    return {
        (
            "admissionregistration.k8s.io",
            "validatingadmissionpolicies",
        ): admission_policies.PolicyStrategy(kinds, schemas),
        ("apiregistration.k8s.io", "apiservices"): api_services.ApiServiceStrategy(clock),
        ("", "namespaces"): namespaces.NamespaceStrategy(),
        ("", "persistentvolumeclaims"): volume_claims.ClaimStrategy(store),
        ("", "persistentvolumes"): volumes.VolumeStrategy(),
        ("", "pods"): pods.PodStrategy(store),
        ("", "secrets"): secrets.SecretStrategy(),
        ("", "services"): services.ServiceStrategy(store),
        ("storage.k8s.io", "storageclasses"): storage_classes.ClassStrategy(),
        ("certificates.k8s.io", "certificatesigningrequests"): certificate_requests.CertificateStrategy(
            signer, clock
        ),
        ("batch", "jobs"): jobs.JobStrategy(),
        ("apiextensions.k8s.io", "customresourcedefinitions"): custom_resource_definitions.DefinitionStrategy(
            kinds, clock
        ),
    }

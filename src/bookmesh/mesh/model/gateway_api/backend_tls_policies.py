"""BackendTLSPolicy (gateway.networking.k8s.io): TLS from proxies to a service that speaks it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model
from bookmesh.mesh.model.gateway_api.references import Hostname, LocalObjectReference, Name


class PolicyTarget(Model, frozen=True):
    """
    The service that a policy is about.

    group: Its API group; "" is the core group.
    kind: Service or ServiceEntry.
    name: Its name.
    section_name: The name of one of its ports.
    """

    group: str
    kind: str
    name: Name
    section_name: str = ""


class SubjectAltName(Model, frozen=True):
    """
    A name in a certificate.

    type: Hostname or URI.
    hostname: The host name.
    uri: The URI.
    """

    type: Literal["Hostname", "URI"]
    hostname: Hostname | None = None
    uri: str | None = None


class BackendTlsValidation(Model, frozen=True):
    """
    How the service's certificate is verified.

    ca_certificate_refs: ConfigMaps whose `ca.crt` holds the certificates of authorities.
    well_known_ca_certificates: System means the authorities of the operating system.
    hostname: The name in the TLS greeting, which the certificate must have.
    subject_alt_names: Names the certificate must have one of, in place of the host name.
    """

    hostname: Hostname
    ca_certificate_refs: tuple[LocalObjectReference, ...] = msgspec.field(
        default=(), name="caCertificateRefs"
    )
    well_known_ca_certificates: Literal["System"] | None = msgspec.field(
        default=None, name="wellKnownCACertificates"
    )
    subject_alt_names: tuple[SubjectAltName, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.ca_certificate_refs) == (self.well_known_ca_certificates is not None):
            raise ValueError("either caCertificateRefs or wellKnownCACertificates is required")


class BackendTlsPolicy(Model, frozen=True):
    """
    TLS from proxies to services.

    target_refs: The services.
    validation: How their certificates are verified.
    options: Options of implementations; there are none.
    """

    target_refs: Annotated[tuple[PolicyTarget, ...], msgspec.Meta(min_length=1, max_length=16)]
    validation: BackendTlsValidation
    options: Annotated[dict[str, str], NOT_ACTED_ON] = {}

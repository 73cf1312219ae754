"""Gateway (networking.istio.io): what a proxy at the edge of the mesh listens for."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model, PortNumber, ScopedHost

TlsVersion = Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]
Protocol = Annotated[str, msgspec.Meta(min_length=1)]


class ServerPort(Model, frozen=True):
    """
    A port of the gateway's Service.

    number: The port of the Service, as clients call it.
    protocol: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.
    name: A name for the port.
    target_port: Deprecated and without effect.
    """

    number: PortNumber
    protocol: Protocol
    name: str
    target_port: Annotated[PortNumber | None, NOT_ACTED_ON] = None


class TlsCertificate(Model, frozen=True):
    """
    Files of one certificate.

    server_certificate: The file of the certificate.
    private_key: The file of its key.
    ca_certificates: The file with which clients are verified.
    """

    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""


class ServerTls(Model, frozen=True):
    """
    TLS towards clients.

    https_redirect: Whether plain requests are answered with a redirection to https.
    mode: How TLS is used.
    server_certificate: The file of the certificate.
    private_key: The file of its key.
    ca_certificates: The file with which clients are verified.
    ca_crl: A file of revoked certificates.
    tls_certificates: Files of several certificates.
    credential_name: The secret that holds the certificates.
    credential_names: Several such secrets.
    ca_cert_credential_name: The secret with which clients are verified.
    subject_alt_names: Names a client's certificate must have one of.
    verify_certificate_spki: Hashes of accepted client keys.
    verify_certificate_hash: Hashes of accepted client certificates.
    min_protocol_version: The lowest TLS version.
    max_protocol_version: The highest TLS version.
    cipher_suites: Cipher suites that may be used.
    ecdh_curves: Curves that may be used.
    insecure_skip_verify: Whether client certificates are not verified.
    """

    https_redirect: bool = False
    mode: (
        Literal["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"]
        | None
    ) = None
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    tls_certificates: tuple[TlsCertificate, ...] = ()
    credential_name: str = ""
    credential_names: tuple[str, ...] = ()
    ca_cert_credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    verify_certificate_spki: tuple[str, ...] = ()
    verify_certificate_hash: tuple[str, ...] = ()
    min_protocol_version: TlsVersion | None = None
    max_protocol_version: TlsVersion | None = None
    cipher_suites: tuple[str, ...] = ()
    ecdh_curves: tuple[str, ...] = ()
    insecure_skip_verify: bool | None = None

    @property
    def is_terminated(self) -> bool:
        """Whether the gateway ends TLS itself."""
        return self.mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL")

    @property
    def asks_for_certificates(self) -> bool:
        """Whether clients are asked for a certificate that is verified against one of ours, not the mesh's."""
        return self.mode in ("MUTUAL", "OPTIONAL_MUTUAL")

    @property
    def credentials(self) -> tuple[str, ...]:
        """The secrets with the gateway's own certificates."""
        return self.credential_names or ((self.credential_name,) if self.credential_name else ())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"):
            has_files = bool(self.server_certificate and self.private_key)
            if not (self.credentials or has_files or self.tls_certificates):
                raise ValueError(
                    f"mode {self.mode} needs credentialName, or serverCertificate and privateKey"
                )


class Server(Model, frozen=True):
    """
    One port with the hosts it serves.

    port: The port.
    hosts: Hosts, each NAMESPACE/HOST or HOST; `*` and a leading wildcard are allowed.
    bind: The address to listen on; all without it.
    tls: TLS towards clients.
    default_endpoint: Reserved by the API.
    name: A name for the server, unique within the gateway.
    """

    port: ServerPort
    hosts: tuple[ScopedHost, ...]
    bind: str = ""
    tls: ServerTls | None = None
    default_endpoint: Annotated[str, NOT_ACTED_ON] = ""
    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.hosts:
            raise ValueError("hosts must not be empty")
        if self.bind:
            try:
                ip_address(self.bind)
            except ValueError as error:
                raise ValueError(f'bind "{self.bind}" is not an IP address') from error
        if self.tls is None and self.port.protocol.upper() in ("HTTPS", "TLS"):
            raise ValueError(f"protocol {self.port.protocol} needs tls")


class Gateway(Model, frozen=True):
    """
    A load balancer at the edge of the mesh.

    servers: Ports with the hosts they serve.
    selector: Labels of the pods whose proxies take these servers.
    """

    servers: tuple[Server, ...] = ()
    selector: dict[str, str] = {}

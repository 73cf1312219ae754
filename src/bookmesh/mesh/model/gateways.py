"""Gateway (networking.istio.io): what a proxy at the edge of the mesh listens for."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model, PortNumber

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
    mode: Annotated[
        Literal["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"]
        | None,
        NOT_ACTED_ON,
    ] = None
    server_certificate: Annotated[str, NOT_ACTED_ON] = ""
    private_key: Annotated[str, NOT_ACTED_ON] = ""
    ca_certificates: Annotated[str, NOT_ACTED_ON] = ""
    ca_crl: Annotated[str, NOT_ACTED_ON] = ""
    tls_certificates: Annotated[tuple[TlsCertificate, ...], NOT_ACTED_ON] = ()
    credential_name: Annotated[str, NOT_ACTED_ON] = ""
    credential_names: Annotated[tuple[str, ...], NOT_ACTED_ON] = ()
    ca_cert_credential_name: Annotated[str, NOT_ACTED_ON] = ""
    subject_alt_names: Annotated[tuple[str, ...], NOT_ACTED_ON] = ()
    verify_certificate_spki: Annotated[tuple[str, ...], NOT_ACTED_ON] = ()
    verify_certificate_hash: Annotated[tuple[str, ...], NOT_ACTED_ON] = ()
    min_protocol_version: Annotated[TlsVersion | None, NOT_ACTED_ON] = None
    max_protocol_version: Annotated[TlsVersion | None, NOT_ACTED_ON] = None
    cipher_suites: Annotated[tuple[str, ...], NOT_ACTED_ON] = ()
    ecdh_curves: Annotated[tuple[str, ...], NOT_ACTED_ON] = ()
    insecure_skip_verify: Annotated[bool | None, NOT_ACTED_ON] = None


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
    hosts: tuple[str, ...]
    bind: Annotated[str, NOT_ACTED_ON] = ""
    tls: ServerTls | None = None
    default_endpoint: Annotated[str, NOT_ACTED_ON] = ""
    name: str = ""

    def __post_init__(self) -> None:
        if not self.hosts:
            raise ValueError("hosts must not be empty")


class Gateway(Model, frozen=True):
    """
    A load balancer at the edge of the mesh.

    servers: Ports with the hosts they serve.
    selector: Labels of the pods whose proxies take these servers.
    """

    servers: tuple[Server, ...] = ()
    selector: dict[str, str] = {}

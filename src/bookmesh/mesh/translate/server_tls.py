"""TLS towards the clients of a gateway: certificates from Secrets or files, versions, and what clients must show."""

from __future__ import annotations

from typing import Final

from bookmesh.mesh.model import ciphers, gateways
from bookmesh.mesh.snapshot import credentials as credentials_
from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import naming, transport_sockets
from bookmesh.mesh.wire import core, messages, tls

_VERSIONS: Final = {
    "TLSV1_0": tls.TlsParameters.TLSv1_0,
    "TLSV1_1": tls.TlsParameters.TLSv1_1,
    "TLSV1_2": tls.TlsParameters.TLSv1_2,
    "TLSV1_3": tls.TlsParameters.TLSv1_3,
}


def problem_with(settings: gateways.ServerTls, namespace: str, credentials: credentials_.Credentials) -> str:
    """Why gateways in `namespace` cannot use the Secrets a server names; "" when they can."""
    for name in settings.credentials:
        needs_trusted = settings.asks_for_certificates and not settings.ca_cert_credential_name
        problem = credentials.problem(namespace, name, needs_pair=True, needs_trusted=needs_trusted)
        if problem:
            return f'secret "{name}" {problem}'
    if settings.asks_for_certificates and settings.ca_cert_credential_name:
        name = settings.ca_cert_credential_name
        problem = credentials.problem(namespace, name, needs_pair=False, needs_trusted=True)
        return f'secret "{name}" {problem}' if problem else ""
    return ""


def build(server: gateways_.GatewayServer, mesh: settings_.MeshSettings) -> core.TransportSocket:
    """
    Build the socket of a server that ends TLS; clients that offer h2 get it when the server speaks HTTP.

    Source: Gateway `servers[].tls`.
    """
    settings = server.server.tls
    if settings is None:
        raise ValueError(f"{server.ref} has no TLS on server {server.index}")
    if settings.mode == "ISTIO_MUTUAL":
        return transport_sockets.mesh_downstream(trust_domains=mesh.trust_domains, is_http=server.is_https)
    return build_own(settings, mesh, is_http=server.is_https)


def build_own(
    settings: gateways.ServerTls, mesh: settings_.MeshSettings, *, is_http: bool
) -> core.TransportSocket:
    """Build the socket of a server that ends TLS with certificates of people's own, not those of the mesh."""
    context = tls.CommonTlsContext(
        tls_params=build_parameters(settings, mesh), alpn_protocols=["h2", "http/1.1"] if is_http else []
    )
    _add_certificates(context, settings)
    if settings.asks_for_certificates:
        _add_verification(context, settings)
    required = messages.boolean(settings.mode == "MUTUAL")
    return transport_sockets.socket(
        tls.DownstreamTlsContext(common_tls_context=context, require_client_certificate=required)
    )


def build_parameters(settings: gateways.ServerTls, mesh: settings_.MeshSettings) -> tls.TlsParameters:
    """
    TLS 1.2 at least and 1.3 at most, unless the server says otherwise; suites and curves that proxies do not have are
    left out.
    """
    return tls.TlsParameters(
        tls_minimum_protocol_version=_VERSIONS.get(
            settings.min_protocol_version or "", tls.TlsParameters.TLSv1_2
        ),
        tls_maximum_protocol_version=_VERSIONS.get(
            settings.max_protocol_version or "", tls.TlsParameters.TLSv1_3
        ),
        cipher_suites=ciphers.usable_suites(settings.cipher_suites) or mesh.cipher_suites,
        ecdh_curves=ciphers.usable_curves(settings.ecdh_curves) or mesh.ecdh_curves,
    )


def _add_certificates(context: tls.CommonTlsContext, settings: gateways.ServerTls) -> None:
    """Secrets win over files."""
    if settings.credentials:
        context.tls_certificate_sds_secret_configs.extend(
            transport_sockets.secret(naming.pair_secret(name)) for name in settings.credentials
        )
        return
    files = [(pair.server_certificate, pair.private_key) for pair in settings.tls_certificates]
    if settings.server_certificate:
        files.insert(0, (settings.server_certificate, settings.private_key))
    for certificate, key in files:
        context.tls_certificates.add(
            certificate_chain=core.DataSource(filename=certificate), private_key=core.DataSource(filename=key)
        )


def _add_verification(context: tls.CommonTlsContext, settings: gateways.ServerTls) -> None:
    checks = tls.CertificateValidationContext(
        match_typed_subject_alt_names=[
            tls.SubjectAltNameMatcher(san_type=kind, matcher=core.StringMatcher(exact=name))
            for name in settings.subject_alt_names
            for kind in (tls.SubjectAltNameMatcher.DNS, tls.SubjectAltNameMatcher.URI)
        ],
        verify_certificate_spki=settings.verify_certificate_spki,
        verify_certificate_hash=settings.verify_certificate_hash,
    )
    if settings.ca_crl:
        checks.crl.filename = settings.ca_crl
    if settings.insecure_skip_verify:
        # A certificate is asked for, and whatever comes is taken.
        checks.trust_chain_verification = tls.CertificateValidationContext.ACCEPT_UNTRUSTED
    credential = settings.ca_cert_credential_name or next(iter(settings.credentials), "")
    if not credential:
        if settings.ca_certificates:
            checks.trusted_ca.filename = settings.ca_certificates
        context.validation_context.CopyFrom(checks)
        return
    context.combined_validation_context.CopyFrom(
        tls.CommonTlsContext.CombinedCertificateValidationContext(
            default_validation_context=checks,
            validation_context_sds_secret_config=transport_sockets.secret(naming.trusted_secret(credential)),
        )
    )

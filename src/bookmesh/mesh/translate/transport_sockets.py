"""TLS towards peers and servers, and TLS towards clients."""

from __future__ import annotations

from collections.abc import Sequence

from bookmesh.mesh.model import destination_rules, internal
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import naming
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages, tls

_TLS_NAME = "envoy.transport_sockets.tls"
_IMPOSSIBLE_HASH = "0" * 64


def ads_source() -> core.ConfigSource:
    """Where everything comes from; the fetch may take as long as it takes."""
    return core.ConfigSource(
        ads=core.AggregatedConfigSource(),
        initial_fetch_timeout=messages.duration(0),
        resource_api_version=core.ApiVersion.V3,
    )


def raw_buffer() -> core.TransportSocket:
    return core.TransportSocket(
        name="envoy.transport_sockets.raw_buffer", typed_config=messages.pack(tls.RawBuffer())
    )


def mesh_upstream(*, sni: str, accepted_ids: Sequence[str]) -> core.TransportSocket:
    """mTLS to a peer that proves one of `accepted_ids`; without any, every peer of the mesh will do."""
    matchers = [_san_matcher(core.StringMatcher(exact=name)) for name in accepted_ids]
    context = _mesh_context(matchers, alpn=naming.MESH_ALPN)
    return socket(tls.UpstreamTlsContext(common_tls_context=context, sni=sni))


def mesh_downstream(
    *, trust_domains: Sequence[str], is_http: bool, least_version: str = "TLSV1_2"
) -> core.TransportSocket:
    """mTLS from any peer of the trust domains, of TLS 1.2 or, if that is the least version, 1.3."""
    matchers = [_san_matcher(core.StringMatcher(prefix=f"spiffe://{domain}/")) for domain in trust_domains]
    context = _mesh_context(matchers, alpn=("h2", "http/1.1") if is_http else ())
    if least_version == "TLSV1_3":
        context.tls_params.tls_minimum_protocol_version = tls.TlsParameters.TLSv1_3
    required = messages.boolean(True)
    return socket(tls.DownstreamTlsContext(common_tls_context=context, require_client_certificate=required))


def origination(
    settings: destination_rules.ClientTls,
    *,
    is_http2: bool,
    names: Sequence[str],
    mesh: settings_.MeshSettings,
    uses_secrets: bool,
) -> core.TransportSocket:
    """
    TLS to a server outside the mesh, verified against certificates of a file or a secret.

    Source: DestinationRule `trafficPolicy.tls` with mode SIMPLE or MUTUAL.
    """
    context = tls.CommonTlsContext(tls_params=_parameters(), alpn_protocols=["h2"] if is_http2 else [])
    context.tls_params.cipher_suites.extend(mesh.cipher_suites)
    context.tls_params.ecdh_curves.extend(mesh.ecdh_curves)
    credential = settings.credential_name if uses_secrets else ""
    if settings.mode == "MUTUAL":
        if credential:
            context.tls_certificate_sds_secret_configs.append(secret(naming.pair_secret(credential)))
        else:
            context.tls_certificates.add(
                certificate_chain=core.DataSource(filename=settings.client_certificate),
                private_key=core.DataSource(filename=settings.private_key),
            )
    if not settings.insecure_skip_verify:
        checks = tls.CertificateValidationContext(
            match_typed_subject_alt_names=[
                tls.SubjectAltNameMatcher(
                    san_type=tls.SubjectAltNameMatcher.URI
                    if "://" in name
                    else tls.SubjectAltNameMatcher.DNS,
                    matcher=core.StringMatcher(exact=name),
                )
                for name in names
            ]
        )
        if settings.ca_crl:
            checks.crl.filename = settings.ca_crl
        if isinstance(settings, internal.InlineTls):
            _trust_inline(checks, settings.trusted, mesh.ca_certificates)
            context.validation_context.CopyFrom(checks)
        elif credential:
            context.combined_validation_context.default_validation_context.CopyFrom(checks)
            context.combined_validation_context.validation_context_sds_secret_config.CopyFrom(
                secret(naming.trusted_secret(credential))
            )
        else:
            checks.trusted_ca.filename = settings.ca_certificates or mesh.ca_certificates
            context.validation_context.CopyFrom(checks)
    return socket(tls.UpstreamTlsContext(common_tls_context=context, sni=settings.sni))


def announce_caller(cluster: wire.Cluster, settings: destination_rules.ProxyProtocol) -> None:
    """
    Wrap the sockets of a cluster, so that each connection begins with the caller's address.

    Source: DestinationRule `trafficPolicy.proxyProtocol`.
    """
    sockets = [match.transport_socket for match in cluster.transport_socket_matches]
    if not sockets:
        if not cluster.HasField("transport_socket"):
            cluster.transport_socket.CopyFrom(raw_buffer())
        sockets = [cluster.transport_socket]
    version = tls.ProxyProtocolConfig.V1 if settings.version == "V1" else tls.ProxyProtocolConfig.V2
    for inner in sockets:
        wrapped = tls.ProxyProtocolUpstreamTransport(
            config=tls.ProxyProtocolConfig(version=version), transport_socket=inner
        )
        inner.name = "envoy.transport_sockets.upstream_proxy_protocol"
        inner.typed_config.CopyFrom(messages.pack(wrapped))


def _trust_inline(checks: tls.CertificateValidationContext, trusted: str, default_ca: str) -> None:
    """Who trusts nobody asks for a certificate that there cannot be: no connection comes about."""
    if trusted:
        checks.trusted_ca.inline_string = trusted
    else:
        checks.trusted_ca.filename = default_ca
        checks.verify_certificate_hash.append(_IMPOSSIBLE_HASH)


def _mesh_context(
    matchers: Sequence[tls.SubjectAltNameMatcher], *, alpn: Sequence[str]
) -> tls.CommonTlsContext:
    return tls.CommonTlsContext(
        tls_params=_parameters(),
        alpn_protocols=alpn,
        tls_certificate_sds_secret_configs=[secret("default")],
        combined_validation_context=tls.CommonTlsContext.CombinedCertificateValidationContext(
            default_validation_context=tls.CertificateValidationContext(
                match_typed_subject_alt_names=matchers
            ),
            validation_context_sds_secret_config=secret("ROOTCA"),
        ),
    )


def _parameters() -> tls.TlsParameters:
    return tls.TlsParameters(
        tls_minimum_protocol_version=tls.TlsParameters.TLSv1_2,
        tls_maximum_protocol_version=tls.TlsParameters.TLSv1_3,
    )


def secret(name: str) -> tls.SdsSecretConfig:
    return tls.SdsSecretConfig(name=name, sds_config=ads_source())


def _san_matcher(matcher: core.StringMatcher) -> tls.SubjectAltNameMatcher:
    return tls.SubjectAltNameMatcher(san_type=tls.SubjectAltNameMatcher.URI, matcher=matcher)


def socket(context: tls.UpstreamTlsContext | tls.DownstreamTlsContext) -> core.TransportSocket:
    return core.TransportSocket(name=_TLS_NAME, typed_config=messages.pack(context))

"""TLS on connections from a proxy to a service: the mesh's own, or what a DestinationRule asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.snapshot import credentials as credentials_
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import transport_sockets
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages


@dataclass(frozen=True, slots=True)
class Peers:
    """
    Who is behind a service: the identities a client accepts, sorted (none: everybody of the mesh), and whether every
    ready endpoint speaks the mesh's mTLS.
    """

    ids: tuple[str, ...] = ()
    all_speak_mtls: bool = False


def apply(
    cluster: wire.Cluster,
    tls: destination_rules.ClientTls | None,
    *,
    sni: str,
    peers: Peers,
    names: Sequence[str],
    is_external: bool,
    is_http2: bool,
    uses_secrets: bool,
    settings: settings_.MeshSettings,
) -> None:
    """
    Set the transport sockets of a cluster.

    Without a word from a DestinationRule every endpoint with a sidecar gets mTLS, and the others plain text. `names`
    are those that certificates of the service must have one of, when the rule names none. A proxy that may not use
    secrets (a sidecar, unless the rule is for it by its labels) shows no certificate that lies in one, so that MUTUAL
    leaves the connection as it is.

    Source: DestinationRule `trafficPolicy.tls`, ServiceEntry `subjectAltNames`.
    """
    if tls is None:
        if settings.is_auto_mtls and not is_external:
            _apply_automatic(cluster, sni=sni, peers=peers)
    elif tls.mode == "MUTUAL" and tls.credential_name and not uses_secrets:
        return
    elif tls.mode in ("SIMPLE", "MUTUAL"):
        socket = transport_sockets.origination(
            tls,
            is_http2=is_http2,
            names=tls.subject_alt_names or names,
            mesh=settings,
            uses_secrets=uses_secrets,
        )
        cluster.transport_socket.CopyFrom(socket)
    elif tls.mode == "ISTIO_MUTUAL":
        ids = tls.subject_alt_names or peers.ids
        cluster.transport_socket.CopyFrom(
            transport_sockets.mesh_upstream(sni=tls.sni or sni, accepted_ids=ids)
        )


def problem_with(
    tls: destination_rules.ClientTls, namespace: str, credentials: credentials_.Credentials
) -> str:
    """Why proxies in `namespace` cannot use the Secret of a rule, in words after its name; "" when they can."""
    if not tls.credential_name or not is_origination(tls):
        return ""
    return credentials.problem(
        namespace,
        tls.credential_name,
        needs_pair=tls.mode == "MUTUAL",
        needs_trusted=not tls.insecure_skip_verify,
    )


def is_origination(tls: destination_rules.ClientTls | None) -> bool:
    """Whether the proxy starts TLS that is not the mesh's."""
    return tls is not None and tls.mode in ("SIMPLE", "MUTUAL")


def _apply_automatic(cluster: wire.Cluster, *, sni: str, peers: Peers) -> None:
    mesh = transport_sockets.mesh_upstream(sni=sni, accepted_ids=peers.ids)
    if cluster.type == wire.Cluster.ORIGINAL_DST:
        if peers.all_speak_mtls:
            cluster.transport_socket.CopyFrom(mesh)
    elif cluster.type == wire.Cluster.EDS:
        cluster.transport_socket_matches.extend(
            [
                _match("tlsMode-istio", {"tlsMode": "istio"}, mesh),
                _match("tlsMode-disabled", {}, transport_sockets.raw_buffer()),
            ]
        )


def _match(
    name: str, labels: dict[str, str], socket: core.TransportSocket
) -> wire.Cluster.TransportSocketMatch:
    return wire.Cluster.TransportSocketMatch(
        name=name, match=messages.struct(labels), transport_socket=socket
    )

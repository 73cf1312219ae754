"""
What Istio's own `istioctl proxy-status` asks istiod: debug types over its discovery service, gRPC inside TLS.

gRPC and Envoy's message types cost tens of megabytes, and hardly anybody asks. So the port is an ordinary listener; the
gRPC server behind it is made for the first connection, which is then passed on byte by byte, as all later ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import os
import socket
from collections.abc import AsyncIterator
from typing import Any, Final

from bookmesh.lab import releases
from bookmesh.lab.standins.istiod_lab import Ask

SYNC_TYPE: Final = "istio.io/debug/syncz"
CLUSTER: Final = "Kubernetes"
_SERVICE: Final = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_METHOD: Final = "StreamAggregatedResources"
_PREFIX: Final = "type.googleapis.com/"
_TYPES: Final = {
    "CDS": "envoy.config.cluster.v3.Cluster",
    "EDS": "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "LDS": "envoy.config.listener.v3.Listener",
    "RDS": "envoy.config.route.v3.RouteConfiguration",
    "SDS": "envoy.extensions.transport_sockets.tls.v3.Secret",
}
_CHUNK_BYTES: Final = 65536
_NONCE: Final = "syncz"


@contextlib.asynccontextmanager
async def listening(listener: socket.socket, ask: Ask) -> AsyncIterator[None]:
    """Take connections on `listener`; `ask` gives the lab's status."""
    lazy = _Lazy(ask)
    server = await asyncio.start_server(lazy.pass_on, sock=listener)
    try:
        async with server:
            yield
    finally:
        await lazy.stop()


class _Lazy:
    """The gRPC server, once somebody has connected."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._starting = asyncio.Lock()
        self._open: set[asyncio.StreamWriter] = set()
        self._ended = asyncio.Event()
        self._server: Any = None
        self._port = 0

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._starting:
            if self._server is None:
                self._server, self._port = await start(self._ask)
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        self._open |= {writer, inner_writer}
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        self._open -= {writer, inner_writer}
        self._ended.set()

    async def stop(self) -> None:
        """End open connections, and then the server."""
        while self._open:
            self._ended.clear()
            for writer in self._open:
                writer.close()
            await self._ended.wait()
        if self._server is not None:
            await self._server.stop(grace=None)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def start(ask: Ask) -> tuple[Any, int]:
    """Start the gRPC server on a free port of loopback, with a certificate of its own; gives it and its port."""
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    import grpc

    key, certificate = new_certificate()
    server = grpc.aio.server()
    handler: Any = grpc.stream_stream_rpc_method_handler(_Discovery(ask).serve)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    await server.start()
    return server, port


def new_certificate() -> tuple[bytes, bytes]:
    """A key and a certificate signed with it, as PEM; nobody verifies it, as with istiod through a port-forward."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "istiod")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("istiod.istio-system.svc")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, certificate.public_bytes(pem)


class _Discovery:
    """Answers each request for a debug type once; anything else is not here."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def serve(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        import grpc
        from envoy.service.discovery.v3 import discovery_pb2

        async for data in requests:
            request = discovery_pb2.DiscoveryRequest.FromString(data)
            if request.response_nonce == _NONCE:
                continue  # an acknowledgement; istioctl sends another nonce with what it asks first
            if request.type_url != SYNC_TYPE:
                text = f"a lab's istiod answers {SYNC_TYPE} only; see bookmesh istioctl proxy-status POD"
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
            try:
                proxies = (await self._ask())["proxies"]
            except OSError as error:
                await context.abort(grpc.StatusCode.UNAVAILABLE, f"the lab does not answer: {error}")
            yield build_response(proxies, instance=socket.gethostname())


def build_response(proxies: list[dict[str, Any]], *, instance: str) -> bytes:
    """Say of each connected proxy which types it has asked for and what became of them; `instance` is our name."""
    from envoy.service.discovery.v3 import discovery_pb2
    from envoy.service.status.v3 import csds_pb2

    identity = {"Component": "istiod", "ID": instance, "Info": {"version": releases.ISTIO_TAG}}
    response = discovery_pb2.DiscoveryResponse(type_url=SYNC_TYPE, version_info="1", nonce=_NONCE)
    response.control_plane.identifier = json.dumps(identity)
    for proxy in proxies:
        if not proxy["connected"]:
            continue
        _, _, name, _ = proxy["id"].split("~")
        config = csds_pb2.ClientConfig()
        config.node.id = name
        config.node.metadata.update(
            {
                "CLUSTER_ID": CLUSTER,
                "NAMESPACE": name.rpartition(".")[2],
                "ISTIO_VERSION": releases.ISTIO_TAG,
            }
        )
        refused = {refusal["type"] for refusal in proxy["refusals"]}
        for short, state in sorted(proxy["types"].items()):
            found = config.generic_xds_configs.add(type_url=f"{_PREFIX}{_TYPES[short]}")
            word = "ERROR" if short in refused else state.replace(" ", "_")
            found.config_status = csds_pb2.ConfigStatus.Value(word)
        response.resources.add().Pack(config)
    data: bytes = response.SerializeToString()
    return data

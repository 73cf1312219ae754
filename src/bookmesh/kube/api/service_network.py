"""
How the API server reaches programs behind Services: webhooks, and servers of aggregated APIs.

A call goes to one ready endpoint, over TLS, with the Service's DNS name as the name that its certificate must have.
"""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

SERVICES: Final = records.GroupResource("", "services")
SLICES: Final = records.GroupResource("discovery.k8s.io", "endpointslices")
SERVICE_LABEL: Final = "kubernetes.io/service-name"


class NoEndpointError(Exception):
    """There is nobody to call; the text is a real API server's."""


class ServiceNetwork:
    """
    Knows the endpoints of Services.

    `make_socket` makes the sockets by which they are reached, in whatever network they are; None means the network of
    this process.
    """

    def __init__(self, store: stores.Store) -> None:
        self._store = store
        self.make_socket: Callable[[], socket.socket] | None = None

    def connector(
        self, context: ssl.SSLContext, *, resolver: aiohttp.abc.AbstractResolver | None = None, **options: Any
    ) -> aiohttp.TCPConnector:
        """Make a connector into the network of the endpoints."""
        factory = self.make_socket
        return aiohttp.TCPConnector(
            ssl=context,
            resolver=resolver,
            socket_factory=None if factory is None else lambda _: factory(),
            **options,
        )

    def slices_of(self, namespace: str, name: str) -> list[JsonObject]:
        """Every EndpointSlice of a Service."""
        return [
            each.object
            for each in self._store.list(SLICES, namespace)
            if (each.object["metadata"].get("labels") or {}).get(SERVICE_LABEL) == name
        ]

    def endpoint_of(self, namespace: str, name: str, port: int) -> tuple[str, int]:
        """
        Pick one ready endpoint of a Service's port.

        Raises:
            NoEndpointError: there is no such service or port, or nobody serves it.
        """
        stored = self._store.get(SERVICES, namespace, name)
        if stored is None:
            raise NoEndpointError(f'service "{name}" not found')
        ports = {each["port"]: each.get("name", "") for each in stored.object["spec"].get("ports") or []}
        if port not in ports:
            raise NoEndpointError(f'no service port {port} found for service "{name}"')
        found = [
            endpoint
            for slice_ in self.slices_of(namespace, name)
            for endpoint in ready_endpoints(slice_, ports[port])
        ]
        if not found:
            raise NoEndpointError(f'no endpoints available for service "{name}"')
        return random.choice(found)  # noqa: S311 - spreads load, hides nothing


def ready_endpoints(slice_: JsonObject, port_name: str) -> list[tuple[str, int]]:
    """Address and port of everybody who is ready in a slice; `port_name` is that of the Service's port."""
    numbers = [each["port"] for each in slice_.get("ports") or [] if (each.get("name") or "") == port_name]
    return [
        (address, number)
        for endpoint in slice_.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint["addresses"]
        for number in numbers
    ]


async def read_body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body of an answer; raises `aiohttp.ClientPayloadError` for one that is larger than `limit`."""
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise aiohttp.ClientPayloadError(f"the response is larger than {limit} bytes")
    return b"".join(pieces)


def failure(error: Exception) -> str:
    """Why a call failed, as Go says it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"tls: failed to verify certificate: {_certificate_reason(error.certificate_error)}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        if "WRONG_VERSION_NUMBER" in str(error):
            return "http: server gave HTTP response to HTTPS client"
        return f"tls: {error.os_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, ConnectionRefusedError):
            return f"dial tcp {error.host}:{error.port}: connect: connection refused"
        return f"dial tcp: lookup {error.host}: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(error) or type(error).__name__


def _certificate_reason(error: Any) -> str:
    text = getattr(error, "verify_message", "") or str(error)
    if "self-signed" in text or "issuer" in text:
        return "x509: certificate signed by unknown authority"
    if "expired" in text:
        return "x509: certificate has expired or is not yet valid"
    return f"x509: {text}"

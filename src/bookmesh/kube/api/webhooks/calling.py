"""How a webhook is reached: at a URL, or at an endpoint of a Service, always over HTTPS."""

from __future__ import annotations

import asyncio
import functools
import random
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import aiohttp
import orjson
from aiohttp import abc

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.webhooks import configurations, reviews
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_SERVICES: Final = records.GroupResource("", "services")
_SLICES: Final = records.GroupResource("discovery.k8s.io", "endpointslices")
_SERVICE_LABEL: Final = "kubernetes.io/service-name"
_LARGEST_ANSWER: Final = 3 << 20


class CallError(Exception):
    """A webhook that did not answer, or not as it must; the text is Go's, as far as there is one."""


class Place(NamedTuple):
    """Where a call goes: `url` as messages show it, and `address` in place of what its host would resolve to."""

    url: str
    address: tuple[str, int] | None = None


class Caller:
    """
    Calls webhooks.

    `make_socket` makes the sockets by which Services are reached, in whatever network their endpoints are; None means
    the network of this process.
    """

    def __init__(
        self, store: stores.Store, *, make_socket: Callable[[], socket.socket] | None = None
    ) -> None:
        self._store = store
        self.make_socket = make_socket

    async def call(self, webhook: configurations.Webhook, asked: JsonObject) -> reviews.Verdict:
        """Ask a webhook; raises `CallError`."""
        place = self._place(webhook)
        body = {"kind": "AdmissionReview", "apiVersion": reviews.VERSION, "request": asked}
        try:
            async with asyncio.timeout(webhook.timeout_s):
                answer = await self._post(place, webhook.authority, orjson.dumps(body))
        except TimeoutError as error:
            raise CallError(f'Post "{place.url}": context deadline exceeded') from error
        except (aiohttp.ClientError, OSError) as error:
            raise CallError(f'Post "{place.url}": {_reason(error)}') from error
        return reviews.parse_answer(answer, asked["uid"])

    async def _post(self, place: Place, authority: str, body: bytes) -> bytes:
        context = _tls_context(authority)
        if place.address is None:
            connector = aiohttp.TCPConnector(ssl=context, force_close=True)
        else:
            factory = self.make_socket
            connector = aiohttp.TCPConnector(
                ssl=context,
                force_close=True,
                resolver=_Fixed(*place.address),
                socket_factory=None if factory is None else lambda _: factory(),
            )
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(place.url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            content = await response.content.read(_LARGEST_ANSWER)
            if response.status != 200:
                raise CallError(_refusal(response.status, content))
            return content

    def _place(self, webhook: configurations.Webhook) -> Place:
        client, query = webhook.source["clientConfig"], f"?timeout={webhook.timeout_s}s"
        if client.get("url"):
            return Place(client["url"] + query)
        service = client["service"]
        name, namespace, port = service["name"], service["namespace"], service.get("port", 443)
        path = service.get("path") or "/"
        address = endpoint_of(self._store, namespace, name, port)
        return Place(f"https://{name}.{namespace}.svc:{port}{path}{query}", address)


class _Fixed(abc.AbstractResolver):
    """Resolves every name to one address and port."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        found = abc.ResolveResult(
            hostname=host, host=self._host, port=self._port, family=socket.AF_INET, proto=0, flags=0
        )
        return [found]

    async def close(self) -> None:
        """Nothing is held."""


def endpoint_of(store: stores.Store, namespace: str, name: str, port: int) -> tuple[str, int]:
    """
    Pick one ready endpoint of a Service's port.

    Raises:
        CallError: there is no such service or port, or nobody serves it.
    """
    stored = store.get(_SERVICES, namespace, name)
    if stored is None:
        raise CallError(f'service "{name}" not found')
    ports = {each["port"]: each.get("name", "") for each in stored.object["spec"].get("ports") or []}
    if port not in ports:
        raise CallError(f'no service port {port} found for service "{name}"')
    found = [
        (address, number)
        for slice_ in store.list(_SLICES, namespace)
        if (slice_.object["metadata"].get("labels") or {}).get(_SERVICE_LABEL) == name
        for address, number in _ready(slice_.object, ports[port])
    ]
    if not found:
        raise CallError(f'no endpoints available for service "{name}"')
    return random.choice(found)  # noqa: S311 - spreads load, hides nothing


def _ready(slice_: JsonObject, port_name: str) -> list[tuple[str, int]]:
    numbers = [each["port"] for each in slice_.get("ports") or [] if (each.get("name") or "") == port_name]
    return [
        (address, number)
        for endpoint in slice_.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint["addresses"]
        for number in numbers
    ]


@functools.lru_cache(maxsize=64)
def _tls_context(authority: str) -> ssl.SSLContext:
    """Trust the authority alone, or without one what the machine trusts."""
    return ssl.create_default_context(cadata=authority or None)


def _reason(error: Exception) -> str:
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


def _refusal(code: int, content: bytes) -> str:
    """What client-go makes of an answer that is no success."""
    if code == 404:
        return "the server could not find the requested resource"
    text = " ".join(content[:2048].decode(errors="replace").split())
    if code >= 500 and text:
        return f'an error on the server ("{text}") has prevented the request from succeeding'
    return f"the server responded with the status code {code} but did not return more information"

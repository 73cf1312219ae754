"""How a webhook is reached: at a URL, or at an endpoint of a Service, always over HTTPS."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from typing import Final, NamedTuple

import aiohttp
import orjson
from aiohttp import abc

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import service_network
from bookmesh.kube.api.webhooks import configurations, reviews

_LARGEST_ANSWER: Final = 3 << 20


class CallError(Exception):
    """A webhook that did not answer, or not as it must; the text is Go's, as far as there is one."""


class Place(NamedTuple):
    """Where a call goes: `url` as messages show it, and `address` in place of what its host would resolve to."""

    url: str
    address: tuple[str, int] | None = None


class Caller:
    """Calls webhooks; those of Services in `network`."""

    def __init__(self, network: service_network.ServiceNetwork) -> None:
        self._network = network

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
            raise CallError(f'Post "{place.url}": {service_network.failure(error)}') from error
        return reviews.parse_answer(answer, asked["uid"])

    async def _post(self, place: Place, authority: str, body: bytes) -> bytes:
        context = _tls_context(authority)
        if place.address is None:
            connector = aiohttp.TCPConnector(ssl=context, force_close=True)
        else:
            connector = self._network.connector(context, resolver=_Fixed(*place.address), force_close=True)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(place.url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            content = await service_network.read_body(response, _LARGEST_ANSWER)
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
        try:
            address = self._network.endpoint_of(namespace, name, port)
        except service_network.NoEndpointError as error:
            raise CallError(str(error)) from error
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


@functools.lru_cache(maxsize=64)
def _tls_context(authority: str) -> ssl.SSLContext:
    """Trust the authority alone, or without one what the machine trusts."""
    return ssl.create_default_context(cadata=authority or None)


def _refusal(code: int, content: bytes) -> str:
    """What client-go makes of an answer that is no success."""
    if code == 404:
        return "the server could not find the requested resource"
    text = " ".join(content[:2048].decode(errors="replace").split())
    if code >= 500 and text:
        return f'an error on the server ("{text}") has prevented the request from succeeding'
    return f"the server responded with the status code {code} but did not return more information"

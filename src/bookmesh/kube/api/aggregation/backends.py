"""
The connection to the server of an aggregated API: TLS, as its APIService says whom to trust, and in whose name.

The server trusts this one by its client certificate, and believes who the user is from the headers that go along; so
what a client itself has sent under these names never gets through.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from bookmesh.kube.api import authentication, service_network
from bookmesh.kube.api.aggregation import registrations

USER_HEADER: Final = "X-Remote-User"
GROUP_HEADER: Final = "X-Remote-Group"
EXTRA_PREFIX: Final = "X-Remote-Extra-"
AGGREGATOR: Final = authentication.User("system:kube-aggregator", ("system:masters",))
"""Who asks on behalf of the server itself."""
_CONNECT_S: Final = 30.0
# Of one connection, not of a message; and what was meant for this server alone.
_OWN: Final = frozenset(
    {
        "authorization",
        "connection",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_CLAIMS: Final = ("x-remote-", "impersonate-")


class UnreachableError(Exception):
    """The server cannot be called; the text is Go's, as far as there is one."""


class Backend:
    """Calls one server; connections are kept until it is closed."""

    def __init__(
        self,
        registration: registrations.Registration,
        network: service_network.ServiceNetwork,
        identity: Path | None,
    ) -> None:
        """`identity` is the PEM file with the certificate and key by which servers know this one."""
        self._registration, self._network, self._identity = registration, network, identity
        self._session: aiohttp.ClientSession | None = None

    @contextlib.asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        user: authentication.User,
        headers: Mapping[str, str] | CIMultiDictProxy[str] | None = None,
        body: bytes | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """
        Send a request to one of the Service's ready endpoints, and hand out the answer before its body.

        Args:
            path: still encoded, with the query.

        Raises:
            UnreachableError: nobody is there, or it cannot be trusted, or it hung up. NoEndpointError: nobody is ready.
        """
        called = self._registration
        host, port = self._network.endpoint_of(called.namespace, called.service, called.port)
        url = URL(f"https://{host}:{port}{path}", encoded=True)
        sent = forwarded(headers or {})
        sent[USER_HEADER] = user.name
        for group in user.groups:
            sent.add(GROUP_HEADER, group)
        try:
            async with self._opened().request(
                method,
                url,
                headers=sent,
                data=body,
                allow_redirects=False,
                server_hostname=f"{called.service}.{called.namespace}.svc",
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            ) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(service_network.failure(error)) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=self._network.connector(self._context(), limit=0),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _context(self) -> ssl.SSLContext:
        """Trust what the APIService says; raises `UnreachableError` when its authority is none."""
        called = self._registration
        try:
            context = ssl.create_default_context(cadata=called.authority or None)
        except (ssl.SSLError, ValueError) as error:
            raise UnreachableError(
                "unable to load root certificates: unable to parse bytes as PEM block"
            ) from error
        if not called.is_verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._identity is not None:
            context.load_cert_chain(self._identity)
        return context

    async def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()


def forwarded(headers: Mapping[str, str] | CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """What of a client's headers, or of a server's, goes on to the other side."""
    return CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in _OWN and not name.lower().startswith(_CLAIMS)
    )

"""Requests from this machine through the ingress gateway: the name in the URL goes into Host and SNI, not into DNS."""

from __future__ import annotations

import concurrent.futures
import http.client
import socket
import ssl
import tempfile
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from bookmesh.base import durations
from bookmesh.tasks import format as formats
from bookmesh.tasks import ingress
from bookmesh.tasks.kubectl import ClusterError
from bookmesh.tasks.records import Exchange


def send(
    request: formats.Request,
    address: ingress.Address,
    directory: Path,
    *,
    authorities: Mapping[str, str] | None = None,
    identities: Mapping[str, str] | None = None,
) -> tuple[Exchange, ...]:
    """
    Make all n requests, `concurrency` at a time; each worker keeps its connection as a browser does.

    Args:
        authorities: certificates in PEM of authorities that the run made, by name.
        identities: certificates and keys in PEM of secrets that the run made, by name.

    Raises:
        ClusterError: the request trusts an authority, or shows a certificate, that is not there yet.
    """
    if request.url.startswith("tcp://"):
        return tuple(_talk(request, address) for _ in range(request.n))
    context = _context(request.tls, directory, authorities or {}, identities or {})
    headers = dict(request.headers)
    if request.session:
        first = formats.Request(
            url=request.session.url,
            method=request.session.method,
            body=request.session.body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        client = _Client(first, address, context)
        answer, cookies = client.once(first.headers)
        client.close()
        if answer.error:
            return (answer,)
        headers["Cookie"] = cookies
    shares = [len(range(worker, request.n, request.concurrency)) for worker in range(request.concurrency)]
    if request.concurrency == 1:
        return tuple(_Client(request, address, context).many(request.n, headers))
    with concurrent.futures.ThreadPoolExecutor(request.concurrency) as pool:
        futures = [pool.submit(_Client(request, address, context).many, n, headers) for n in shares]
        return tuple(exchange for future in futures for exchange in future.result())


class _Client:
    """One connection to the gateway at a time."""

    def __init__(self, request: formats.Request, address: ingress.Address, context: ssl.SSLContext) -> None:
        self._request = request
        self._url = urllib.parse.urlsplit(request.url)
        self._address = address
        self._context = context
        self._timeout_s = durations.parse_duration_s(request.timeout)
        self._connection: http.client.HTTPConnection | None = None
        self._certificate = b""

    def many(self, n: int, headers: dict[str, str]) -> list[Exchange]:
        try:
            return [self.once(headers)[0] for _ in range(n)]
        finally:
            self.close()

    def once(self, headers: dict[str, str]) -> tuple[Exchange, str]:
        """Return the exchange and the cookies it set, as a Cookie header."""
        request = self._request
        path = urllib.parse.urlunsplit(("", "", self._url.path or "/", self._url.query, ""))
        began = time.monotonic()
        try:
            connection = self._connection or self._connect()
            host = {"Host": self._url.netloc} if "Host" not in headers else {}
            connection.request(request.method, path, request.body or None, host | headers)
            response = connection.getresponse()
            body = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            self.close()
            took_s = time.monotonic() - began
            reason = f"{type(error).__name__}: {error}"
            return Exchange(request.method, request.url, 0, took_s, error=reason), ""
        took_s = time.monotonic() - began
        if response.will_close:
            self.close()
        received = {name.lower(): value for name, value in response.getheaders()}
        cookies = [value.partition(";")[0] for value in response.headers.get_all("set-cookie") or ()]
        exchange = Exchange(
            method=request.method,
            url=request.url,
            status=response.status,
            took_s=took_s,
            headers=received,
            body=body,
            certificate=self._certificate,
        )
        return exchange, "; ".join(cookies)

    def _connect(self) -> http.client.HTTPConnection:
        port = _reachable(self._url, self._address)
        connection = http.client.HTTPConnection(self._address.host, port, timeout=self._timeout_s)
        if self._url.scheme == "https":
            plain = socket.create_connection((self._address.host, port), self._timeout_s)
            wrapped = self._context.wrap_socket(plain, server_hostname=self._url.hostname)
            self._certificate = wrapped.getpeercert(binary_form=True) or b""
            connection.sock = wrapped
        self._connection = connection
        return connection

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


def _talk(request: formats.Request, address: ingress.Address) -> Exchange:
    """Connect, send the body, and read until a line is complete or the other side closes."""
    url = urllib.parse.urlsplit(request.url)
    timeout_s = durations.parse_duration_s(request.timeout)
    began = time.monotonic()
    received = b""
    try:
        with socket.create_connection((address.host, _reachable(url, address)), timeout_s) as connection:
            connection.sendall(request.body.encode())
            while not received.endswith(b"\n") and (part := connection.recv(65536)):
                received += part
        error = "" if received else "closed without an answer"
    except OSError as failure:
        error = f"{type(failure).__name__}: {failure}"
    took_s = time.monotonic() - began
    return Exchange("TCP", request.url, 0, took_s, body=received.decode("utf-8", "replace"), error=error)


def _reachable(url: urllib.parse.SplitResult, address: ingress.Address) -> int:
    """
    Find the port for a URL.

    Raises:
        ConnectionError: the gateway's Service does not have it.
    """
    number = url.port or {"http": 80, "https": 443}[url.scheme]
    if number not in address.ports:
        raise ConnectionError(f"the gateway has no port {number}")
    return address.ports[number]


def _context(
    tls: formats.ClientTls | None,
    directory: Path,
    authorities: Mapping[str, str],
    identities: Mapping[str, str],
) -> ssl.SSLContext:
    """Trust the task's CA alone, or the machine's when it names none."""
    ca = tls.ca if tls else None
    made = authorities.get(ca) if ca else None
    if ca and not made and not (directory / ca).is_file():
        raise ClusterError(f'no step has made the authority "{ca}" yet')
    context = ssl.create_default_context(cafile=str(directory / ca) if ca and not made else None, cadata=made)
    if tls and tls.certificate:
        context.load_cert_chain(directory / tls.certificate, directory / tls.key if tls.key else None)
    if tls and tls.identity:
        _show(context, tls.identity, identities)
    return context


def _show(context: ssl.SSLContext, name: str, identities: Mapping[str, str]) -> None:
    """Show the certificate of a secret; OpenSSL takes it from a file alone, which only we can read and which goes."""
    if name not in identities:
        raise ClusterError(f'no step has made the secret "{name}" yet')
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(identities[name])
        file.flush()
        context.load_cert_chain(file.name)

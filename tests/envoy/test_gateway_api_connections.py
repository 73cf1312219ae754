"""
What the Gateway API promises about connections, on a real Envoy: backends that speak HTTP/2 or WebSocket, TLS that goes
through a gateway, and listeners that share a port.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import grpc
import pytest
from aiohttp import web
from tests.envoy import gateways
from tests.envoy.gateways import Proxy

from bookmesh.tasks import certificates

HERE = Path(__file__).parent


@contextmanager
def serving_calls() -> Iterator[int]:
    """A gRPC server, which speaks HTTP/2 alone: each call is answered with the name of its method."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: details.method.encode())

    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait(10)


@contextmanager
def serving_http(application: web.Application, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """An aiohttp application on a free port, in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def on_loop(step: object) -> object:
        return asyncio.run_coroutine_threadsafe(step, loop).result(10)  # type: ignore[arg-type]

    runner = web.AppRunner(application)
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        on_loop(runner.setup())
        on_loop(web.SockSite(runner, listener, ssl_context=context).start())
        yield int(listener.getsockname()[1])
    finally:
        on_loop(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def echo_frames(request: web.Request) -> web.WebSocketResponse:
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for message in connection:
        await connection.send_str(f"again: {message.data}")
    return connection


async def tell_name(_request: web.Request) -> web.Response:
    return web.Response(text="secure")


def sockets_application() -> web.Application:
    application = web.Application()
    application.router.add_get("/ws", echo_frames)
    return application


def secure_application() -> web.Application:
    application = web.Application()
    application.router.add_get("/", tell_name)
    return application


@pytest.fixture(scope="module")
def authority() -> certificates.Authority:
    return certificates.Authority("gateway")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, authority: certificates.Authority) -> Iterator[Proxy]:
    directory = tmp_path_factory.mktemp("gateway")
    issued = authority.issue_secret(name="cert", namespace="default", hosts=("secure.example.com",))
    for name in ("tls.crt", "tls.key"):
        (directory / name).write_text(issued["stringData"][name])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    with ExitStack() as stack:
        servers = {
            "calls": stack.enter_context(serving_calls()),
            "sockets": stack.enter_context(serving_http(sockets_application())),
            "secure": stack.enter_context(serving_http(secure_application(), context)),
        }
        file = HERE / "gateway-api-connections.yaml"
        yield stack.enter_context(gateways.running(file, directory, servers=servers))


def call(gateway: Proxy, path: str) -> bytes:
    with grpc.insecure_channel(f"127.0.0.1:{gateway.ports[80]}") as channel:
        return bytes(channel.unary_unary(path)(b"", timeout=60))


@pytest.mark.feature("HTTPRouteBackendProtocolH2C")
def test_a_backend_is_spoken_to_over_http_2_where_its_port_says_so(gateway: Proxy) -> None:
    assert call(gateway, "/hello.Greeter/Say") == b"/hello.Greeter/Say"
    with pytest.raises(grpc.RpcError) as without:
        call(gateway, "/plain/Say")
    assert without.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.feature("HTTPRouteBackendProtocolWebSocket")
async def test_a_connection_may_become_a_websocket(gateway: Proxy) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{gateway.ports[80]}/ws") as connection,
    ):
        await connection.send_str("hello")
        assert await connection.receive_str(timeout=60) == "again: hello"


@pytest.mark.feature("GatewayHTTPListenerIsolation")
@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("elsewhere.org", "/any"),
        ("a.example.com", "/wild"),
        ("a.inner.example.com", "/inner"),
        ("one.inner.example.com", "/exact"),
    ],
)
def test_a_request_belongs_to_its_most_specific_listener_alone(
    gateway: Proxy, host: str, served: str
) -> None:
    paths = ("/any", "/wild", "/inner", "/exact")
    found = {path: gateway.get(path, host, port=8080).status for path in paths}
    assert found == {path: 200 if path == served else 404 for path in paths}


async def get_over_tls(gateway: Proxy, host: str, trusted: str) -> str:
    address = ("127.0.0.1", gateway.ports[8443])
    context = ssl.create_default_context(cadata=trusted)
    reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname=host)
    writer.write(f"GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
    answer = (await asyncio.wait_for(reader.read(), 10)).decode()
    writer.close()
    return answer.rpartition("\r\n\r\n")[2]


@pytest.mark.feature("TLSRoute")
async def test_tls_goes_through_by_the_name_that_the_client_asks_for(
    gateway: Proxy, authority: certificates.Authority
) -> None:
    """The client sees the backend's own certificate; names without a route get no connection."""
    assert await get_over_tls(gateway, "secure.example.com", authority.pem) == "secure"
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await get_over_tls(gateway, "other.example.com", authority.pem)

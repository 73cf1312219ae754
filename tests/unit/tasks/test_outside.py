from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookmesh.tasks import certificates, ingress, outside
from bookmesh.tasks import format as formats
from bookmesh.tasks.kubectl import ClusterError


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path} {self.headers.get('Cookie')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        name = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(302)
        self.send_header("Set-Cookie", f"session={name}; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Be quiet."""


@pytest.fixture
def gateway() -> Iterator[ingress.Address]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield ingress.Address("127.0.0.1", {80: server.server_address[1]})
        server.shutdown()
        thread.join()


def test_the_name_of_the_url_goes_to_the_gateway(gateway: ingress.Address, tmp_path: Path) -> None:
    (exchange,) = outside.send(formats.Request(url="http://a.example/b?c=d"), gateway, tmp_path)
    assert (exchange.status, exchange.body, exchange.error) == (200, "a.example /b?c=d None", "")


def test_several_requests_at_a_time(gateway: ingress.Address, tmp_path: Path) -> None:
    request = formats.Request(url="http://a.example/", n=7, concurrency=3)
    assert [each.status for each in outside.send(request, gateway, tmp_path)] == [200] * 7


def test_a_session_keeps_its_cookie(gateway: ingress.Address, tmp_path: Path) -> None:
    session = formats.Session(url="http://a.example/login", body="jason")
    request = formats.Request(url="http://a.example/", n=2, session=session)
    assert [each.body for each in outside.send(request, gateway, tmp_path)] == [
        "a.example / session=jason"
    ] * 2


def test_a_gateway_that_refuses_is_an_exchange_without_status(tmp_path: Path) -> None:
    request = formats.Request(url="http://a.example/", session=None)
    (exchange,) = outside.send(request, ingress.Address("127.0.0.1", {80: 1}), tmp_path)
    assert exchange.status == 0
    assert "ConnectionRefusedError" in exchange.error


def test_a_port_that_the_gateway_does_not_have_is_told(tmp_path: Path) -> None:
    request = formats.Request(url="https://a.example/")
    (exchange,) = outside.send(request, ingress.Address("127.0.0.1", {80: 1}), tmp_path)
    assert "the gateway has no port 443" in exchange.error


def test_tcp_sends_a_line_and_reads_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"one " + connection.recv(100))

        thread = threading.Thread(target=serve)
        thread.start()
        address = ingress.Address("127.0.0.1", {9000: server.getsockname()[1]})
        request = formats.Request(url="tcp://echo:9000", body="hello\n")
        (exchange,) = outside.send(request, address, tmp_path)
        thread.join()
    assert (exchange.body, exchange.error) == ("one hello\n", "")


def test_a_client_shows_the_certificate_of_a_secret_to_who_asks_for_one(tmp_path: Path) -> None:
    authority = certificates.Authority("ca")
    pairs = {
        name: authority.issue_secret(name=name, namespace="n", hosts=(f"{name}.example",))["stringData"]
        for name in ("server", "client")
    }
    identities = {name: pair["tls.crt"] + pair["tls.key"] for name, pair in pairs.items()}
    (tmp_path / "server.pem").write_text(identities["server"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=authority.pem)
    context.load_cert_chain(tmp_path / "server.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = ingress.Address("127.0.0.1", {443: server.server_address[1]})

        def answers(identity: str | None) -> tuple[int, bool]:
            tls = formats.ClientTls(ca="ca", identity=identity)
            request = formats.Request(url="https://server.example/", tls=tls)
            made = {"authorities": {"ca": authority.pem}, "identities": identities}
            (exchange,) = outside.send(request, address, tmp_path, **made)
            return exchange.status, bool(exchange.error)

        try:
            assert answers("client") == (200, False)
            assert answers(None) == (0, True)
            with pytest.raises(ClusterError, match='no step has made the secret "gone" yet'):
                answers("gone")
        finally:
            server.shutdown()
            thread.join()

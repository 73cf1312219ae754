from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookmesh.lab.standins import istiod_lab, istiod_xds


class Api(http.server.BaseHTTPRequestHandler):
    """An API server that knows one token."""

    def do_GET(self) -> None:
        is_good = self.headers["Authorization"] == "Bearer good" and self.path == istiod_lab.STATUS_PATH
        self.send_response(200 if is_good else 403)
        self.end_headers()
        self.wfile.write(b'{"proxies": []}')

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def place(tmp_path: Path) -> Iterator[dict[str, str]]:
    key, certificate = istiod_xds.new_certificate()
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "ca.crt").write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.crt", tmp_path / "key")
    server = http.server.HTTPServer(("127.0.0.1", 0), Api)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.server_port)}
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_lab_is_asked_as_the_service_account(
    place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def context(cafile: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.load_verify_locations(cafile)
        made.check_hostname = False  # the certificate is for a name, the server has an address
        return made

    monkeypatch.setattr(istiod_lab.ssl, "create_default_context", context)
    (tmp_path / "token").write_text("good\n")
    assert istiod_lab.fetch(place, tmp_path) == {"proxies": []}
    (tmp_path / "token").write_text("bad")
    with pytest.raises(OSError, match="answered 403"):
        istiod_lab.fetch(place, tmp_path)


def test_without_a_token_nobody_is_asked(place: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        istiod_lab.fetch(place, tmp_path)

"""
Where the lab's keys are, and how its server and its commands use them. `credentials` makes them.

Apart from that module since commands only need what is here, and making keys costs an import of its own.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keys:
    """Paths of PEM files; `directory` is private to the user."""

    directory: Path

    @property
    def authority(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def authority_key(self) -> Path:
        return self.directory / "ca.key"

    @property
    def server(self) -> Path:
        return self.directory / "apiserver.pem"

    @property
    def admin(self) -> Path:
        return self.directory / "admin.pem"

    @property
    def token_key(self) -> Path:
        return self.directory / "service-accounts.key"

    @property
    def front_proxy_authority(self) -> Path:
        return self.directory / "front-proxy-ca.crt"

    @property
    def front_proxy(self) -> Path:
        """What servers of aggregated APIs know the API server by."""
        return self.directory / "front-proxy-client.pem"

    def server_context(self) -> ssl.SSLContext:
        """TLS for the API server; a client certificate is asked for, and checked when there is one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        context.load_verify_locations(self.authority)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def client_context(self) -> ssl.SSLContext:
        """TLS for the command line: it trusts this lab alone, and is its administrator."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(self.admin)
        return context


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; readers see the old content or the new, never half of it."""
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary.replace(path)

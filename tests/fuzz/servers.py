"""
An API server for requests that nobody would make: in this process, or in one of its own whose memory can be told
from that of whoever sends them (`python -m tests.fuzz.servers` prints its port and serves until its input ends).

After each request it takes back what would change the meaning of those after it, and lays down again what they rely on.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.kube.api.conftest import Streams, request_for

from bookmesh.base import kubernetes
from bookmesh.kube.api import app, authentication, default_roles, serving, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import records, store
from bookmesh.lab import tokens

ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = {"Authorization": "Bearer good"}
TAKEN_BACK = (
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    *(
        ("admissionregistration.k8s.io", kind.plural)
        for kind in kinds.Kinds().all()
        if kind.group == "admissionregistration.k8s.io"
    ),
)
_CONTAINERS = {"containers": [{"name": "main", "image": "httpbin", "ports": [{"containerPort": 80}]}]}
_TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": _CONTAINERS}
_SELECTOR = {"matchLabels": {"app": "web"}}
SEEDS: dict[kubernetes.Resource, dict[str, Any]] = {
    kubernetes.CONFIG_MAPS: {"data": {"a": "b"}},
    kubernetes.SECRETS: {"data": {"a": "Yg=="}},
    kubernetes.SERVICE_ACCOUNTS: {},
    kubernetes.PODS: {"spec": _CONTAINERS},
    kubernetes.SERVICES: {"spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}},
    kubernetes.DEPLOYMENTS: {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
}
"""Objects called `web` that are there for every request."""


def _issuer() -> tokens.TokenIssuer:
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        return tokens.TokenIssuer(Path(file.name))


class Objects:
    """The store, its verbs, and the application over them."""

    def __init__(self) -> None:
        self.store = store.Store.open(None, history=100)
        self.over = verbs.Verbs(self.store, kinds.Kinds(), schemas.Schemas.load())
        self.over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
        default_roles.ensure(self.over)
        self.restore()
        authenticator = authentication.Authenticator(user_for_token={"good": "somebody"}.get)
        self.app = app.build_app(self.over, streams=Streams(), authenticator=authenticator, issuer=_issuer())

    def restore(self) -> None:
        """Take back what would change later requests, and lay down what they need."""
        for group, plural in TAKEN_BACK:
            for stored in self.store.list(records.GroupResource(group, plural)):
                self.store.delete(stored.group_resource, stored.namespace, stored.name)
        if self.store.get(records.GroupResource("", "namespaces"), "", "default") is None:
            self.over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
        for resource, content in SEEDS.items():
            place = records.GroupResource(resource.group, resource.plural)
            if self.store.get(place, "default", "web") is None:
                self.over.create(resource, {"metadata": {"name": "web", "namespace": "default"}, **content})


class Here:
    """The application without sockets."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.objects = Objects()
        self.objects.app.freeze()

    def send(self, method: str, path: str, body: bytes, content_type: str) -> web.StreamResponse:
        """Send one request; returns the answer."""

        async def ask() -> web.StreamResponse:
            headers = CREDENTIALS | ({"Content-Type": content_type} if content_type else {})
            return await self.objects.app._handle(request_for(method, path, headers=headers, body=body))

        answer = self._loop.run_until_complete(asyncio.wait_for(ask(), 60))
        self.objects.restore()
        return answer

    def close(self) -> None:
        self.objects.store.close()
        self._loop.close()


class Apart:
    """The server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.port, self._process = port, process
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method: str, path: str, body: bytes, content_type: str) -> int:
        """Send one request; returns the code of the answer."""
        headers = CREDENTIALS | ({"Content-Type": content_type} if content_type else {})
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def resident_mib(self) -> float:
        """What the server holds in memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def close(self) -> None:
        self._connection.close()


@contextmanager
def apart() -> Iterator[Apart]:
    """Start a server of its own, and end it."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        server = Apart(process, int(process.stdout.readline()))
        try:
            yield server
        finally:
            server.close()
            process.communicate(timeout=60)


async def _serve() -> None:
    objects = Objects()

    @web.middleware
    async def restoring(request: web.Request, handler: app.Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            objects.restore()

    objects.app.middlewares.insert(0, restoring)
    served = await serving.start(objects.app, host="127.0.0.1", port=0, tls=None)
    sys.stdout.write(f"{served.port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await served.stop()
    objects.store.close()


if __name__ == "__main__":
    asyncio.run(_serve())

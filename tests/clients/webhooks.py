"""A program that webhooks are configured for: it serves HTTPS on a free port, and answers as a test tells it."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bookmesh.base.kubernetes import JsonObject

Answer = Callable[[JsonObject], Awaitable[JsonObject] | JsonObject]
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
CONFIG_MAPS = {**PODS, "operations": ["*"], "resources": ["configmaps"]}


def allow(_: JsonObject) -> JsonObject:
    """Let everything pass."""
    return {"allowed": True}


def deny(_: JsonObject) -> JsonObject:
    """Let nothing pass."""
    return {"allowed": False, "status": {"message": "not on a Friday", "code": 403, "reason": "Forbidden"}}


def patch(*operations: JsonObject) -> Answer:
    """Change every object."""
    encoded = base64.b64encode(orjson.dumps(list(operations))).decode()
    return lambda _: {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


@dataclass
class Program:
    """`answers` by path; `asked` is every question so far, in order, with its path."""

    port: int
    authority: bytes
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, JsonObject]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        review = orjson.loads(await request.read())
        asked = review["request"]
        self.asked.append((request.path, asked))
        answer = self.answers[request.path](asked)
        if not isinstance(answer, dict):
            answer = await answer
        if "raw" in answer:
            return web.Response(status=answer.get("code", 200), text=answer["raw"])
        response = {"uid": asked["uid"], **answer}
        return web.json_response({**review, "request": None, "response": response})

    def webhook(self, path: str, answer: Answer, **changed: Any) -> JsonObject:
        """A webhook of a configuration that is answered by `answer`."""
        self.answers[path] = answer
        return {
            "name": f"{path.strip('/')}.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "clientConfig": {"url": f"https://127.0.0.1:{self.port}{path}", "caBundle": self.bundle},
            "rules": [CONFIG_MAPS],
            **changed,
        }

    @property
    def bundle(self) -> str:
        return base64.b64encode(self.authority).decode()

    def paths(self) -> list[str]:
        """Where was asked, in order."""
        return [path for path, _ in self.asked]


def configuration(kind: str, *webhooks: JsonObject, name: str = "tests") -> str:
    """A `Mutating` or `Validating` configuration as YAML."""
    return yaml.safe_dump(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": list(webhooks),
        }
    )


def certificate(directory: Path, service: str = "hook") -> tuple[bytes, ssl.SSLContext]:
    """A certificate that vouches for itself, for this machine and for a Service in `default`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, service)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName(f"{service}.default.svc")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = directory / f"{service}.pem"
    path.write_bytes(made + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return made, context


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[Program]:
    """Serve until the end of the block."""
    authority, context = certificate(directory)
    program = Program(0, authority)
    app = web.Application()
    app.router.add_post("/{path:.*}", program.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        program.port = runner.addresses[0][1]
        yield program
    finally:
        await runner.cleanup()

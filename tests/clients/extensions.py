"""
An extension API server: another API server of ours with one custom kind, behind a Service of the cluster under test.

It believes the front proxy's certificate, and takes from its headers who the user is.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from tests.clients import local_streams, webhooks
from tests.clients.conftest import Cluster

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import app, authentication, serving, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store

NAME: Final = "v1.pets.example.com"
DEFINITION: Final[JsonObject] = {
    "metadata": {"name": "dogs.pets.example.com"},
    "spec": {
        "group": "pets.example.com",
        "scope": "Namespaced",
        "names": {"kind": "Dog", "plural": "dogs", "shortNames": ["dg"], "categories": ["pets"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Breed", "type": "string", "jsonPath": ".spec.breed"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "description": "What is known of a dog.",
                                "properties": {"breed": {"type": "string", "description": "Its kind."}},
                            }
                        },
                    }
                },
            }
        ],
    },
}


@dataclass
class Extension:
    """`asked` is every request so far: method, path and user."""

    port: int
    authority: bytes
    over: verbs.Verbs
    asked: list[tuple[str, str, authentication.User]] = field(default_factory=list)

    def api_service(self, **changed: Any) -> JsonObject:
        """What registers it."""
        spec = {
            "group": "pets.example.com",
            "version": "v1",
            "groupPriorityMinimum": 2000,
            "versionPriority": 10,
            "service": {"namespace": "default", "name": "pets"},
            "caBundle": base64.b64encode(self.authority).decode(),
            **changed,
        }
        return {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": NAME},
            "spec": {key: value for key, value in spec.items() if value is not None},
        }


class _FrontProxy(authentication.Authenticator):
    """Knows one client, which tells for whom it asks."""

    def __init__(self, extension: Extension) -> None:
        super().__init__()
        self._extension = extension

    def authenticate(self, request: web.Request) -> authentication.User:
        proxy = super().authenticate(request)
        if proxy.name != "front-proxy-client":
            raise ApiError(401, "Unauthorized", "Unauthorized")
        groups = tuple(request.headers.getall("X-Remote-Group", []))
        user = authentication.User(request.headers["X-Remote-User"], groups)
        self._extension.asked.append((request.method, request.path, user))
        return user


@asynccontextmanager
async def serving_pets(directory: Path, front_proxy: Path) -> AsyncIterator[Extension]:
    """Serve until the end of the block; `front_proxy` is the authority of the client that is trusted."""
    authority, tls = webhooks.certificate(directory, "pets")
    tls.load_verify_locations(front_proxy)
    tls.verify_mode = ssl.CERT_OPTIONAL
    objects = store.Store.open(None)
    over = verbs.Verbs(objects, kinds.Kinds(), schemas.Schemas.load())
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
    over.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
    extension = Extension(0, authority, over)
    built = app.build_app(over, streams=local_streams.LocalStreams(), authenticator=_FrontProxy(extension))
    running = await serving.start(built, tls=tls)
    extension.port = running.port
    try:
        yield extension
    finally:
        await running.stop()
        objects.close()


async def add_service(cluster: Cluster, port: int) -> None:
    """Make the Service `pets`, whose one endpoint is a port of this machine."""
    await cluster.ok("create", "service", "clusterip", "pets", "--tcp=443:8443")
    slice_ = {
        "metadata": {
            "name": "pets-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "pets"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [{"name": "443-8443", "port": port}],
    }
    await cluster.client.create(kubernetes.ENDPOINT_SLICES, slice_)

"""Verbs over a store in memory, at a fixed time, and requests that need no socket."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from unittest import mock

import orjson
import pytest
from aiohttp import streams, web
from aiohttp.test_utils import make_mocked_request

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import app, authentication, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
Send = Callable[..., Awaitable[web.StreamResponse]]


@pytest.fixture
def over() -> Iterator[verbs.Verbs]:
    objects = store.Store.open(None)
    found = verbs.Verbs(objects, kinds.Kinds(), schemas.Schemas.load(), clock=lambda: NOW)
    found.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
    yield found
    objects.close()


@pytest.fixture
def pod() -> JsonObject:
    return {
        "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "httpbin"}]},
    }


@pytest.fixture
def deployment(pod: JsonObject) -> JsonObject:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


@pytest.fixture
def definition() -> JsonObject:
    """A custom kind with two versions, a status, and a default."""
    spec = {
        "type": "object",
        "properties": {"host": {"type": "string"}, "weight": {"type": "integer", "default": 9}},
    }
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": anything}}}
    version = {"served": True, "subresources": {"status": {}}, "schema": schema}
    return {
        "metadata": {"name": "routes.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Route", "plural": "routes"},
            "versions": [
                {**version, "name": "v1", "storage": True},
                {**version, "name": "v1beta1", "storage": False},
            ],
        },
    }


class Streams(mock.Mock):
    """Pods that nobody asks for anything."""


def request_for(
    method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> web.Request:
    """A request as it arrives, with a body that is there already."""
    protocol = mock.Mock(_reading_paused=False)
    payload = streams.StreamReader(protocol, limit=1 << 16, loop=asyncio.get_running_loop())
    payload.feed_data(body)
    payload.feed_eof()
    transport = mock.Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: default
    given = {"Host": "localhost:6443", **(headers or {})}
    return make_mocked_request(
        method, path, headers=given, payload=payload, transport=transport, client_max_size=3 << 20
    )


@pytest.fixture
def application(over: verbs.Verbs) -> web.Application:
    authenticator = authentication.Authenticator(user_for_token={"good": "somebody"}.get)
    built = app.build_app(over, streams=Streams(), authenticator=authenticator, hosts=("api.lab",))
    built.freeze()
    return built


@pytest.fixture
def send(application: web.Application) -> Send:
    """Send one authenticated request; gives the response."""

    async def send_one(
        method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        given = {"Authorization": "Bearer good", "Content-Type": "application/json", **(headers or {})}
        return await application._handle(request_for(method, path, headers=given, body=content))

    return send_one


def decoded(response: web.StreamResponse) -> Any:
    """The JSON of a response."""
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return orjson.loads(response.body)

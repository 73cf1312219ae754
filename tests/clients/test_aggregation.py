"""API aggregation: another API server answers for a group, over real TLS, and stock clients do not notice."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from tests.clients import extensions, webhooks
from tests.clients.conftest import DEADLINE_S, Cluster, Keys, line_of

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.aggregation import local_services
from bookmesh.lab import keys as lab_keys

DOG = """
apiVersion: pets.example.com/v1
kind: Dog
metadata: {name: rex, namespace: default}
spec: {breed: collie}
"""


@pytest.fixture
async def extension(tmp_path: Path, keys: Keys) -> AsyncIterator[extensions.Extension]:
    authority = lab_keys.Keys(keys.authority.parent).front_proxy_authority
    async with extensions.serving_pets(tmp_path, authority) as found:
        yield found


async def register(cluster: Cluster, registered: JsonObject) -> None:
    await cluster.ok("apply", "-f", "-", stdin=orjson.dumps(registered))


async def until_available(cluster: Cluster) -> None:
    await cluster.ok("wait", "--for=condition=Available", f"apiservice/{extensions.NAME}", "--timeout=50s")


async def reason(cluster: Cluster, wanted: str) -> str:
    """Wait until the condition Available has a reason; gives its message."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found = await cluster.client.get(kubernetes.API_SERVICES, extensions.NAME)
            for condition in (found.get("status") or {}).get("conditions") or []:
                if condition["reason"] == wanted:
                    message: str = condition["message"]
                    return message
            await asyncio.sleep(0.01)


@pytest.mark.covers("kubectl", "get (aggregated APIs)")
async def test_kubectl_works_on_a_kind_that_another_server_answers_for(
    cluster: Cluster, extension: extensions.Extension
) -> None:
    await extensions.add_service(cluster, extension.port)
    await register(cluster, extension.api_service())
    await until_available(cluster)
    assert "dogs   dg           pets.example.com/v1" in await cluster.ok(
        "api-resources", "--api-group=pets.example.com"
    )
    assert "pets.example.com/v1" in await cluster.ok("api-versions")
    async with cluster.running("get", "dogs", "-w", "--no-headers") as watching:
        await cluster.ok("apply", "-f", "-", stdin=DOG)
        assert (await line_of(watching)).split() == ["rex", "collie"]
        changed = DOG.replace("collie", "poodle")
        assert await cluster.ok("apply", "-f", "-", stdin=changed) == "dog.pets.example.com/rex configured\n"
        assert (await line_of(watching)).split() == ["rex", "poodle"]
    assert await cluster.ok("get", "pets", "-o", "name") == "dog.pets.example.com/rex\n"
    assert "Its kind." in await cluster.ok("explain", "dogs.spec.breed")
    text = await cluster.fails("apply", "-f", "-", stdin=DOG.replace("breed:", "bred:"))
    assert 'unknown field "spec.bred"' in text
    assert (
        await cluster.ok("delete", "dg", "rex")
        == 'dog.pets.example.com "rex" deleted from default namespace\n'
    )
    shown = await cluster.ok("get", "apiservice", extensions.NAME)
    assert shown.splitlines()[1].split()[:3] == [extensions.NAME, "default/pets", "True"]


async def test_the_server_is_told_for_whom_it_is_asked(
    cluster: Cluster, extension: extensions.Extension
) -> None:
    await extensions.add_service(cluster, extension.port)
    await register(cluster, extension.api_service())
    await until_available(cluster)
    assert {user.name for _, _, user in extension.asked} == {"system:kube-aggregator"}
    extension.asked.clear()
    await cluster.ok("get", "dogs", "--as=ann", "--as-group=system:masters")
    path = "/apis/pets.example.com/v1/namespaces/default/dogs"
    (user,) = {user for _, asked, user in extension.asked if asked == path}
    assert (user.name, user.groups) == ("ann", ("system:masters", "system:authenticated"))
    text = await cluster.fails("get", "dogs", "--as=ann")
    assert 'dogs.pets.example.com is forbidden: User "ann" cannot list resource "dogs"' in text


async def test_the_condition_says_what_is_missing(
    cluster: Cluster, extension: extensions.Extension, tmp_path: Path
) -> None:
    await register(
        cluster, extension.api_service(service={"namespace": "default", "name": "pets", "port": 444})
    )
    assert await reason(cluster, "ServiceNotFound") == 'service/pets in "default" is not present'
    text = await cluster.fails("get", "--raw", "/apis/pets.example.com/v1/dogs")
    assert "the server is currently unable to handle the request" in text
    await extensions.add_service(cluster, extension.port)
    assert "is not listening on port 444" in await reason(cluster, "ServicePortError")
    await register(cluster, extension.api_service(caBundle=_other_authority(tmp_path)))
    message = await reason(cluster, "FailedDiscoveryCheck")
    assert "failing or missing response from https://" in message
    assert "x509: certificate signed by unknown authority" in message
    await cluster.ok("delete", "endpointslice", "pets-1")
    assert "cannot find endpointslices" in await reason(cluster, "EndpointsNotFound")
    shown = await cluster.ok("get", "apiservice", extensions.NAME, "--no-headers")
    assert "False (EndpointsNotFound)" in shown


def _other_authority(directory: Path) -> str:
    authority, _ = webhooks.certificate(directory, "other")
    return base64.b64encode(authority).decode()


@asynccontextmanager
async def serving_little(directory: Path) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that has legacy discovery and one object, and nothing else; gives its port and what it was asked."""
    asked: list[str] = []
    dogs = {
        "name": "dogs",
        "namespaced": True,
        "kind": "Dog",
        "singularName": "dog",
        "verbs": ["get", "list"],
    }
    rex = {"metadata": {"name": "rex", "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}}
    answers: dict[str, JsonObject] = {
        "/apis/pets.example.com/v1": {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": "pets.example.com/v1",
            "resources": [dogs, {**dogs, "name": "dogs/status", "verbs": ["get"]}],
        },
        "/apis/pets.example.com/v1/namespaces/default/dogs": {
            "kind": "DogList",
            "apiVersion": "pets.example.com/v1",
            "metadata": {},
            "items": [{"kind": "Dog", "apiVersion": "pets.example.com/v1", **rex}],
        },
    }

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path in answers:
            return web.json_response(answers[request.path])
        return web.json_response({}, status=404)

    _, context = webhooks.certificate(directory, "little")
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1], asked
    finally:
        await runner.cleanup()


async def test_a_server_with_legacy_discovery_alone_is_served_too(cluster: Cluster, tmp_path: Path) -> None:
    async with serving_little(tmp_path) as (port, asked):
        await extensions.add_service(cluster, port)
        little = extensions.Extension(port, b"", cluster.over).api_service(
            caBundle=None, insecureSkipTLSVerify=True
        )
        await register(cluster, little)
        await until_available(cluster)
        assert "rex" in await cluster.ok("get", "dogs")
        assert "/openapi/v3" in asked
    index = orjson.loads(await cluster.ok("get", "--raw", "/openapi/v3"))
    assert "apis/apps/v1" in index["paths"]
    assert "apis/pets.example.com/v1" not in index["paths"]
    await cluster.ok("delete", "endpointslice", "pets-1")
    await reason(cluster, "EndpointsNotFound")
    assert "currently unable to handle the request" in await cluster.fails("get", "dogs")
    await cluster.ok("delete", "apiservice", extensions.NAME)
    assert "pets.example.com" not in await cluster.ok("api-versions")


@pytest.mark.covers("kubectl", "get apiservices")
async def test_what_the_server_itself_answers_for_is_listed_as_local(cluster: Cluster) -> None:
    local_services.LocalServices(cluster.over)
    rows = {
        line.split()[0]: line.split()[1:3]
        for line in (await cluster.ok("get", "apiservices", "--no-headers")).splitlines()
    }
    assert rows["v1."] == rows["v1.apps"] == rows["v2.autoscaling"] == ["Local", "True"]
    assert "v1.apiregistration.k8s.io" not in rows
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        **extensions.DEFINITION,
    }
    await cluster.ok("create", "-f", "-", stdin=orjson.dumps(definition))
    await cluster.ok("delete", "apiservice", extensions.NAME)
    assert "Local" in await cluster.ok("get", "apiservice", extensions.NAME)
    await cluster.ok("delete", "crd", "dogs.pets.example.com")
    assert "NotFound" in await cluster.fails("get", "apiservice", extensions.NAME)

"""Workflows of kr8s, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import kr8s
import kr8s.asyncio
import pytest
from kr8s.asyncio import objects as async_objects
from kr8s.objects import ConfigMap, Deployment, Pod, Service, new_class
from tests.clients import leaks
from tests.clients.manifests import ROUTE_DEFINITION
from tests.lab import labs

from bookmesh.pytest_plugin import KubernetesApi

# kr8s knows the versions of Kubernetes that were there when it was released.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported:UserWarning"),
    *leaks.TOLERATED,
]
LABELS = {"app": "web"}
READINESS = {"httpGet": {"path": "/status/200", "port": 80}, "periodSeconds": 1}
CONTAINER = {"name": "web", "image": "kennethreitz/httpbin", "readinessProbe": READINESS}


def deployment(namespace: str) -> dict[str, Any]:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
    spec = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template}
    return {"metadata": {"name": "web", "namespace": namespace}, "spec": spec}


def talker(namespace: str) -> dict[str, Any]:
    command = ["sh", "-c", "echo said; sleep 600"]
    container = {"name": "main", "image": "curlimages/curl", "command": command}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"metadata": {"name": "talker", "namespace": namespace}, "spec": spec}


@pytest.fixture
def api(kubernetes_namespace: KubernetesApi) -> Iterator[Any]:
    return kr8s.api(kubeconfig=str(kubernetes_namespace.kubeconfig), namespace=kubernetes_namespace.namespace)


@pytest.fixture
async def async_api(kubernetes_namespace: KubernetesApi) -> AsyncIterator[Any]:
    return await kr8s.asyncio.api(
        kubeconfig=str(kubernetes_namespace.kubeconfig), namespace=kubernetes_namespace.namespace
    )


@pytest.mark.covers("kr8s", "create", "get", "patch", "label", "annotate", "delete", "version", "whoami")
def test_objects_are_made_changed_and_deleted(api: Any) -> None:
    assert api.version()["major"] == "1"
    assert api.whoami() == "bookmesh-admin"
    config = ConfigMap({"metadata": {"name": "a", "namespace": api.namespace}, "data": {"k": "1"}}, api=api)
    config.create()
    assert config.exists()
    config.patch({"data": {"k": "2"}})
    config.patch([{"op": "add", "path": "/data/j", "value": "3"}], type="json")
    config.label(team="x")
    config.annotate({"note": "y"})
    (found,) = api.get("configmaps", label_selector="team=x")
    assert found.raw["data"] == {"k": "2", "j": "3"}
    assert found.annotations["note"] == "y"
    config.remove_label("team")
    assert list(api.get("configmaps", label_selector="team=x")) == []
    config.delete()
    config.wait("delete", timeout=60)
    with pytest.raises(kr8s.NotFoundError):
        ConfigMap.get("a", namespace=api.namespace, api=api)


@pytest.mark.covers("kr8s", "scale", "wait", "logs", "exec", "port-forward", "services")
def test_workloads_and_their_streams(api: Any) -> None:
    web = Deployment(deployment(api.namespace), api=api)
    web.create()
    web.wait("condition=Available", timeout=60)
    web.scale(2)
    assert web.replicas == 2
    assert len(list(web.pods())) == 2
    pod = Pod(talker(api.namespace), api=api)
    pod.create()
    pod.wait("condition=Ready", timeout=60)
    assert labs.wait_until(lambda: list(pod.logs(follow=False))) == ["said"]
    done = pod.exec(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    service = {"metadata": {"name": "web", "namespace": api.namespace}}
    service["spec"] = {"selector": LABELS, "ports": [{"port": 8000, "targetPort": 80}]}
    web_service = Service(service, api=api)
    web_service.create()
    with web_service.portforward(remote_port=80, local_port="auto") as local:  # of the pod behind it
        assert httpx.get(f"http://127.0.0.1:{local}/status/204", timeout=60).status_code == 204


@pytest.mark.covers("kr8s", "custom kinds", "api-resources")
def test_custom_kinds(api: Any, kubernetes_namespace: KubernetesApi) -> None:
    kubernetes_namespace.kubectl("apply", "-f", "-", stdin=ROUTE_DEFINITION)
    assert "routes" in [resource["name"] for resource in api.api_resources()]
    route_class = new_class(kind="Route", version="example.com/v1", namespaced=True)
    body = {"metadata": {"name": "home", "namespace": api.namespace}, "spec": {"hosts": ["a.example.com"]}}
    route = route_class(body, api=api)
    route.create()
    assert route.spec.weight == 100, "the default of the schema"
    assert [one.name for one in api.get("routes.example.com")] == ["home"]
    with pytest.raises(kr8s.ServerError, match=r"spec\.weight"):
        route.patch({"spec": {"weight": 101}})


@pytest.mark.covers("kr8s asyncio", "create", "watch", "wait", "logs", "exec", "port-forward", "delete")
async def test_the_asynchronous_face(async_api: Any) -> None:
    namespace = async_api.namespace
    web = {"metadata": {"name": "web", "namespace": namespace}, "spec": {"containers": [CONTAINER]}}
    pods = [await async_objects.Pod(raw, api=async_api) for raw in (talker(namespace), web)]
    seen: list[tuple[str, str]] = []

    async def follow() -> None:
        async with contextlib.aclosing(async_api.watch("pods")) as events:
            async for kind, pod in events:
                seen.append((kind, pod.name))
                if kind == "DELETED":
                    return

    following = asyncio.create_task(follow())
    for pod in pods:
        await pod.create()
    for pod in pods:
        await pod.wait("condition=Ready", timeout=60)
    async with asyncio.timeout(60):
        while ("ADDED", "talker") not in seen:
            await asyncio.sleep(0.02)
    await pods[0].label(seen="yes")
    assert [line async for line in pods[0].logs(follow=False)] == ["said"]
    assert (await pods[0].exec(["echo", "hello"])).stdout == b"hello\n"
    async with pods[1].portforward(remote_port=80, local_port="auto") as local, httpx.AsyncClient() as client:
        answers = await asyncio.gather(
            *(client.get(f"http://127.0.0.1:{local}/status/204", timeout=60) for _ in range(5))
        )
    assert [answer.status_code for answer in answers] == [204] * 5
    await pods[0].delete()
    await asyncio.wait_for(following, 60)
    assert seen[-1] == ("DELETED", "talker")
    assert {("ADDED", "talker"), ("ADDED", "web"), ("MODIFIED", "talker")} <= set(seen)

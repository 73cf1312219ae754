"""Workflows of lightkube, synchronous and asynchronous."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import lightkube
import pytest
from lightkube import codecs
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource, load_in_cluster_generic_resources
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.autoscaling_v1 import ScaleSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import CascadeType, PatchType
from tests.clients import leaks
from tests.clients.manifests import ROUTE_DEFINITION
from tests.lab import labs

from bookmesh.pytest_plugin import KubernetesApi

pytestmark = leaks.TOLERATED
LABELS = {"app": "web"}
TALKER = Pod(
    metadata=ObjectMeta(name="talker"),
    spec=PodSpec(
        terminationGracePeriodSeconds=0,
        containers=[
            Container(name="main", image="curlimages/curl", command=["sh", "-c", "echo said; sleep 600"])
        ],
    ),
)


def deployment(replicas: int = 1) -> Deployment:
    container = Container(name="web", image="kennethreitz/httpbin")
    template = PodTemplateSpec(metadata=ObjectMeta(labels=LABELS), spec=PodSpec(containers=[container]))
    spec = DeploymentSpec(replicas=replicas, selector=LabelSelector(matchLabels=LABELS), template=template)
    return Deployment(metadata=ObjectMeta(name="web"), spec=spec)


@pytest.fixture
def config(kubernetes_namespace: KubernetesApi) -> lightkube.KubeConfig:
    return lightkube.KubeConfig.from_file(str(kubernetes_namespace.kubeconfig))


@pytest.fixture
def client(config: lightkube.KubeConfig) -> Iterator[lightkube.Client]:
    with lightkube.Client(config=config, field_manager="tests") as found:
        yield found


@pytest.mark.covers(
    "lightkube", "create", "get", "list", "replace", "patch", "set", "delete", "deletecollection"
)
def test_objects_are_made_changed_and_deleted(client: lightkube.Client) -> None:
    for name in ("a", "b", "c"):
        client.create(ConfigMap(metadata=ObjectMeta(name=name, labels={"set": "x"}), data={"k": "1"}))
    listed = client.list(ConfigMap, labels={"set": "x"}, chunk_size=2)
    assert [one.metadata.name for one in listed] == ["a", "b", "c"]
    stale = client.get(ConfigMap, "a")
    client.patch(ConfigMap, "a", {"data": {"k": "2"}}, patch_type=PatchType.MERGE)
    client.patch(ConfigMap, "a", [{"op": "add", "path": "/data/j", "value": "3"}], patch_type=PatchType.JSON)
    client.set(ConfigMap, "a", annotations={"note": "y"})
    found = client.get(ConfigMap, "a")
    assert (found.data, found.metadata.annotations) == ({"k": "2", "j": "3"}, {"note": "y"})
    with pytest.raises(ApiError, match="object has been modified"):
        client.replace(stale)
    found.data = {"k": "5"}
    assert client.replace(found).data == {"k": "5"}
    client.delete(ConfigMap, "a", cascade=CascadeType.FOREGROUND)
    with pytest.raises(ApiError) as gone:
        client.get(ConfigMap, "a")
    assert (gone.value.status.code, gone.value.status.reason) == (404, "NotFound")
    client.deletecollection(ConfigMap)
    assert list(client.list(ConfigMap, labels={"set": "x"})) == []


@pytest.mark.covers("lightkube", "apply")
def test_apply_is_server_side_with_conflicts(client: lightkube.Client) -> None:
    first = client.apply(deployment())
    assert client.apply(deployment()).metadata.generation == first.metadata.generation
    with pytest.raises(ApiError, match="conflict with"):
        client.apply(deployment(replicas=3), field_manager="somebody-else")
    taken = client.apply(deployment(replicas=3), field_manager="somebody-else", force=True)
    assert taken.spec.replicas == 3


@pytest.mark.covers("lightkube", "scale", "wait", "watch", "logs", "exec")
def test_workloads_and_their_streams(client: lightkube.Client) -> None:
    client.create(deployment())
    client.wait(Deployment, "web", for_conditions=["Available"])
    scale = client.get(Deployment.Scale, "web")
    scale.spec = ScaleSpec(replicas=2)
    client.replace(scale, "web")
    for _kind, found in client.watch(Deployment, fields={"metadata.name": "web"}, server_timeout=60):
        if found.status.readyReplicas == 2:
            break
    client.create(TALKER)
    client.wait(Pod, "talker", for_conditions=["Ready"])
    assert labs.wait_until(lambda: "".join(client.log("talker"))) == "said\n"
    done = client.exec("talker", command=["sh", "-c", "cat; exit 3"], stdin="input", stdout=True, stderr=True)
    assert (done.stdout, done.exit_code) == ("input", 3)


@pytest.mark.covers("lightkube", "load yaml", "custom kinds")
def test_files_and_custom_kinds(client: lightkube.Client) -> None:
    route = (
        "apiVersion: example.com/v1\nkind: Route\nmetadata: {name: home}\nspec: {hosts: [a.example.com]}\n"
    )
    create_namespaced_resource("example.com", "v1", "Route", "routes")
    definition, home = codecs.load_all_yaml(ROUTE_DEFINITION + "---\n" + route)
    client.apply(definition)
    assert client.apply(home).spec["weight"] == 100, "the default of the schema"
    load_in_cluster_generic_resources(client)
    found = [one.metadata.name for one in client.list(type(home))]
    assert found == ["home"]
    with pytest.raises(ApiError, match=r"spec\.weight"):
        client.patch(type(home), "home", {"spec": {"weight": 101}}, patch_type=PatchType.MERGE)


@pytest.mark.covers("lightkube asyncio", "create", "watch", "wait", "logs", "exec", "apply", "delete")
async def test_the_asynchronous_client(config: lightkube.KubeConfig) -> None:
    async with lightkube.AsyncClient(config=config, field_manager="tests") as client:
        await client.create(TALKER)
        await client.wait(Pod, "talker", for_conditions=["Ready"])
        async with contextlib.aclosing(client.log("talker", follow=True)) as lines:
            assert await anext(lines) == "said\n"
        done = await client.exec("talker", command=["echo", "hello"], stdout=True)
        assert (done.stdout, done.exit_code) == ("hello\n", 0)
        await client.apply(deployment())
        async for _kind, found in client.watch(Deployment, server_timeout=60):
            if found.metadata.name == "web" and found.status and found.status.readyReplicas:
                break
        await client.delete(Pod, "talker")
        assert [one.metadata.name async for one in client.list(Deployment)] == ["web"]

"""Workflows of the official Python client: typed, dynamic and asynchronous."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest
import yaml
from kubernetes import aio, dynamic, stream, watch
from kubernetes.client import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock import leaselock
from tests.clients import leaks
from tests.clients.conftest import Keys, open_cluster
from tests.clients.manifests import ROUTE_DEFINITION
from tests.lab import labs

from bookmesh.base import kubernetes as kubernetes_resources
from bookmesh.kube.api import verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store
from bookmesh.pytest_plugin import KubernetesApi

pytestmark = leaks.TOLERATED
DEPLOYMENT = yaml.safe_load("""
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: kennethreitz/httpbin
        readinessProbe: {httpGet: {path: /status/200, port: 80}, periodSeconds: 1}
""")
TALKER = {
    "metadata": {"name": "talker"},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {"name": "main", "image": "curlimages/curl", "command": ["sh", "-c", "echo said; sleep 600"]}
        ],
    },
}


@pytest.fixture
def api(kubernetes_namespace: KubernetesApi) -> Iterator[kubernetes.client.ApiClient]:
    with kubernetes.config.new_client_from_config(str(kubernetes_namespace.kubeconfig)) as client:
        yield client


@pytest.fixture
def namespace(kubernetes_namespace: KubernetesApi) -> str:
    return kubernetes_namespace.namespace


@pytest.mark.covers("kubernetes", "create", "get", "list", "replace", "delete", "deletecollection", "patch")
def test_objects_are_made_changed_and_deleted(api: kubernetes.client.ApiClient, namespace: str) -> None:
    core = kubernetes.client.CoreV1Api(api)
    for name in ("a", "b", "c"):
        body = kubernetes.client.V1ConfigMap(metadata={"name": name, "labels": {"set": "x"}}, data={"k": "1"})
        core.create_namespaced_config_map(namespace, body)
    with pytest.raises(ApiException) as refused:
        core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}})
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    page = core.list_namespaced_config_map(namespace, label_selector="set=x", limit=2)
    rest = core.list_namespaced_config_map(
        namespace, label_selector="set=x", limit=2, _continue=page.metadata._continue
    )
    assert [item.metadata.name for item in [*page.items, *rest.items]] == ["a", "b", "c"]
    core.patch_namespaced_config_map("a", namespace, {"data": {"k": "2"}})
    core.patch_namespaced_config_map("a", namespace, [{"op": "add", "path": "/data/j", "value": "3"}])
    found = core.read_namespaced_config_map("a", namespace)
    assert found.data == {"k": "2", "j": "3"}
    stale = core.read_namespaced_config_map("b", namespace)
    core.patch_namespaced_config_map("b", namespace, {"data": {"k": "4"}})
    with pytest.raises(ApiException) as conflict:
        core.replace_namespaced_config_map("b", namespace, stale)
    assert conflict.value.status == 409
    found.data = {"k": "5"}
    assert core.replace_namespaced_config_map("a", namespace, found).data == {"k": "5"}
    core.delete_namespaced_config_map("a", namespace)
    with pytest.raises(ApiException, match="404"):
        core.read_namespaced_config_map("a", namespace)
    core.delete_collection_namespaced_config_map(namespace, label_selector="set=x")
    assert core.list_namespaced_config_map(namespace, label_selector="set=x").items == []


@pytest.mark.covers("kubernetes", "watch")
def test_a_watch_goes_on_where_it_was(api: kubernetes.client.ApiClient, namespace: str) -> None:
    core = kubernetes.client.CoreV1Api(api)
    listed = core.list_namespaced_config_map(namespace)
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "first"}})
    core.patch_namespaced_config_map("first", namespace, {"data": {"k": "v"}})
    core.delete_namespaced_config_map("first", namespace)
    watching = watch.Watch()
    events = []
    for event in watching.stream(
        core.list_namespaced_config_map,
        namespace,
        field_selector="metadata.name=first",
        resource_version=listed.metadata.resource_version,
        timeout_seconds=30,
    ):
        events.append(event["type"])
        if event["type"] == "DELETED":
            watching.stop()
    assert events == ["ADDED", "MODIFIED", "DELETED"]


@pytest.mark.covers("kubernetes", "watch")
async def test_a_watch_from_too_long_ago_is_told_to_list_again(
    tls: ssl.SSLContext, keys: Keys, tmp_path: Path
) -> None:
    objects = store.Store.open(None, history=5)
    over = verbs.Verbs(objects, kinds.Kinds(), schemas.Schemas.load())
    over.create(kubernetes_resources.NAMESPACES, {"metadata": {"name": "default"}})
    for number in range(20):
        over.create(
            kubernetes_resources.CONFIG_MAPS, {"metadata": {"name": f"c{number}"}}, namespace="default"
        )
    async with open_cluster(over, tls, keys, directory=tmp_path, binary=Path("kubectl")):
        seen = await asyncio.to_thread(_follow_from, str(tmp_path / "kubeconfig"), "1")
    assert seen == ["410"] + [f"c{number}" for number in range(20)]


def _follow_from(kubeconfig: str, version: str) -> list[str]:
    """What a well-made follower does: watch, and when the past is forgotten, list and watch from there."""
    seen: list[str] = []
    with kubernetes.config.new_client_from_config(kubeconfig) as client:
        core = kubernetes.client.CoreV1Api(client)
        try:
            for event in watch.Watch().stream(
                core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=5
            ):
                seen += [event["object"].metadata.name]
        except ApiException as gone:
            seen.append(str(gone.status))
            listed = core.list_namespaced_config_map("default")
            seen += sorted((one.metadata.name for one in listed.items), key=lambda name: int(name[1:]))
    return seen


@pytest.mark.covers("kubernetes", "scale", "status", "eviction")
def test_subresources(api: kubernetes.client.ApiClient, namespace: str) -> None:
    apps = kubernetes.client.AppsV1Api(api)
    apps.create_namespaced_deployment(namespace, DEPLOYMENT)
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 2}})
    assert apps.read_namespaced_deployment_scale("web", namespace).spec.replicas == 2
    labs.wait_until(
        lambda: apps.read_namespaced_deployment_status("web", namespace).status.ready_replicas == 2,
        within_s=60,
    )
    core = kubernetes.client.CoreV1Api(api)
    pod = core.list_namespaced_pod(namespace, label_selector="app=web").items[0].metadata
    eviction = {"metadata": {"name": pod.name, "namespace": namespace}}
    core.create_namespaced_pod_eviction(pod.name, namespace, eviction)
    labs.wait_until(
        lambda: (
            pod.uid
            not in [
                item.metadata.uid
                for item in core.list_namespaced_pod(namespace, label_selector="app=web").items
            ]
        )
    )


@pytest.mark.covers("kubernetes", "logs", "exec", "port-forward")
def test_streams_of_a_pod(api: kubernetes.client.ApiClient, namespace: str) -> None:
    core = kubernetes.client.CoreV1Api(api)
    core.create_namespaced_pod(namespace, TALKER)
    core.create_namespaced_pod(
        namespace, {"metadata": {"name": "web"}, "spec": DEPLOYMENT["spec"]["template"]["spec"]}
    )
    for name in ("talker", "web"):
        labs.wait_until(lambda name=name: _is_ready(core, name, namespace), within_s=60)
    assert labs.wait_until(lambda: core.read_namespaced_pod_log("talker", namespace)) == "said\n"
    opened = stream.stream(
        core.connect_get_namespaced_pod_exec,
        "talker",
        namespace,
        command=["sh", "-c", "read line; echo got $line; echo wrong >&2; exit 3"],
        stdin=True,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    opened.write_stdin("input\n")
    opened.run_forever(timeout=20)
    assert (opened.read_stdout(), opened.read_stderr(), opened.returncode) == ("got input\n", "wrong\n", 3)
    opened.close()
    forward = stream.portforward(core.connect_get_namespaced_pod_portforward, "web", namespace, ports="80")
    with contextlib.closing(forward.socket(80)) as connection:
        connection.setblocking(True)
        connection.sendall(b"GET /status/204 HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
        assert b"".join(iter(lambda: connection.recv(4096), b"")).startswith(b"HTTP/1.1 204")
    assert forward.error(80) is None


def _is_ready(core: Any, name: str, namespace: str) -> bool:
    conditions = core.read_namespaced_pod(name, namespace).status.conditions or []
    return any(one.type == "Ready" and one.status == "True" for one in conditions)


@pytest.mark.covers("kubernetes", "dynamic", "apply", "custom kinds")
def test_the_dynamic_client_and_server_side_apply(
    api: kubernetes.client.ApiClient, kubernetes_namespace: KubernetesApi, tmp_path: Path
) -> None:
    kubernetes_namespace.kubectl("apply", "-f", "-", stdin=ROUTE_DEFINITION)
    # By default it caches discovery below the temporary directory by address, whoever serves there today.
    client = dynamic.DynamicClient(api, cache_file=str(tmp_path / "discovery.json"))
    routes = client.resources.get(api_version="example.com/v1", kind="Route")
    namespace = kubernetes_namespace.namespace
    body = {"apiVersion": "example.com/v1", "kind": "Route", "metadata": {"name": "home"}}
    body["spec"] = {"hosts": ["a.example.com"]}
    made = client.server_side_apply(routes, body=body, name="home", namespace=namespace, field_manager="one")
    assert made.spec.weight == 100, "the default of the schema"
    again = client.server_side_apply(routes, body=body, name="home", namespace=namespace, field_manager="one")
    assert again.metadata.resourceVersion == made.metadata.resourceVersion
    body["spec"] = {"hosts": ["b.example.com"]}
    with pytest.raises(dynamic.exceptions.ConflictError, match="conflict with"):
        client.server_side_apply(routes, body=body, name="home", namespace=namespace, field_manager="two")
    client.server_side_apply(
        routes, body=body, name="home", namespace=namespace, field_manager="two", force_conflicts=True
    )
    assert routes.get(name="home", namespace=namespace).spec.hosts == ["b.example.com"]
    assert [one.metadata.name for one in routes.get(namespace=namespace).items] == ["home"]
    routes.delete(name="home", namespace=namespace)


@pytest.mark.covers("kubernetes", "create from yaml", "informer")
def test_files_are_created_and_an_informer_knows_them(
    api: kubernetes.client.ApiClient, namespace: str, tmp_path: Path
) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: two}\nspec: {ports: [{port: 80}]}\n"
    )
    core = kubernetes.client.CoreV1Api(api)
    informer = kubernetes.informer.SharedInformer(core.list_namespaced_service, namespace=namespace)
    seen: list[str] = []
    informer.add_event_handler("ADDED", lambda obj: seen.append(obj.metadata.name))
    informer.start()
    try:
        kubernetes.utils.create_from_yaml(api, str(file), namespace=namespace)
        labs.wait_until(lambda: seen == ["two"])
    finally:
        informer.stop()
    assert core.read_namespaced_config_map("one", namespace).metadata.uid


@pytest.mark.covers("kubernetes", "leader election")
def test_one_of_two_candidates_leads_and_the_other_follows_on(
    kubernetes_namespace: KubernetesApi, namespace: str
) -> None:
    kubernetes.config.load_kube_config(str(kubernetes_namespace.kubeconfig))

    def candidate(name: str) -> leaderelection.LeaderElection:
        lock = leaselock.LeaseLock("leader", namespace, f"{name}-{uuid.uuid4()}")
        config = electionconfig.Config(
            lock,
            lease_duration=3,
            renew_deadline=2,
            retry_period=1,
            onstarted_leading=lambda: None,
            onstopped_leading=lambda: None,
        )
        return leaderelection.LeaderElection(config)

    first, second = candidate("first"), candidate("second")
    assert first.try_acquire_or_renew()
    assert not second.try_acquire_or_renew(), "the lease has a holder"
    leases = kubernetes.client.CoordinationV1Api()
    holder = leases.read_namespaced_lease("leader", namespace).spec.holder_identity
    assert holder.startswith("first-")
    labs.wait_until(second.try_acquire_or_renew, what="the lease of one who is gone is taken over")
    holder = leases.read_namespaced_lease("leader", namespace).spec.holder_identity
    assert holder.startswith("second-")


@pytest.mark.covers("kubernetes aio", "create", "list", "watch", "patch", "delete", "exec")
async def test_the_asynchronous_client(kubernetes_namespace: KubernetesApi) -> None:
    namespace = kubernetes_namespace.namespace
    configuration = aio.client.Configuration()
    await aio.config.load_kube_config(
        str(kubernetes_namespace.kubeconfig), client_configuration=configuration
    )
    async with aio.client.ApiClient(configuration) as api:
        core = aio.client.CoreV1Api(api)
        await core.create_namespaced_pod(namespace, TALKER)
        async with aio.watch.Watch().stream(
            core.list_namespaced_pod, namespace, timeout_seconds=60
        ) as events:
            async for event in events:
                conditions = event["object"].status.conditions or []
                if any(one.type == "Ready" and one.status == "True" for one in conditions):
                    break
        await core.patch_namespaced_pod("talker", namespace, {"metadata": {"labels": {"seen": "yes"}}})
        found = await core.list_namespaced_pod(namespace, label_selector="seen=yes")
        assert [pod.metadata.name for pod in found.items] == ["talker"]
    async with aio.stream.WsApiClient(configuration) as api:
        said = await aio.client.CoreV1Api(api).connect_get_namespaced_pod_exec(
            "talker", namespace, command=["echo", "hello"], stdout=True, stderr=True
        )
        assert said == "hello\n"
    async with aio.client.ApiClient(configuration) as api:
        await aio.client.CoreV1Api(api).delete_namespaced_pod("talker", namespace)

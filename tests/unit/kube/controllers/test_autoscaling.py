"""An autoscaler at work on our own API: targets, selectors, memory, both versions."""

from __future__ import annotations

import datetime

from bookmesh.base.kubernetes import DEPLOYMENTS, NAMESPACES, POD_METRICS, PODS, JsonObject, Resource
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.controllers import autoscaling, horizontal_autoscalers, informers, runner, scaling_rules
from bookmesh.kube.controllers.resources import AUTOSCALERS
from bookmesh.kube.schema import builtin_kinds, kinds, schemas
from bookmesh.kube.store import store as stores

NOW = datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC)
FIRST_VERSION = Resource("autoscaling", "v1", "horizontalpodautoscalers")


def _server(*metrics: JsonObject, has_metrics: bool = True) -> inprocess.InProcessClient:
    more = kinds.parse_table(builtin_kinds.METRICS) if has_metrics else ()
    over = verbs.Verbs(
        stores.Store.open(None),
        kinds.Kinds(more=more),
        schemas.Schemas.load(),
        sources={POD_METRICS: lambda: metrics} if has_metrics else None,
    )
    over.create(NAMESPACES, {"metadata": {"name": "default"}})
    return inprocess.InProcessClient(over)


def _deployment() -> JsonObject:
    container = {"name": "c", "image": "i"}
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }


def _autoscaler(**target: str) -> JsonObject:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", **target}
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"scaleTargetRef": reference, "maxReplicas": 5},
    }


def _pod(name: str, app: str) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


async def _seen(client: inprocess.InProcessClient, autoscaler: JsonObject) -> horizontal_autoscalers.Seen:
    caches = informers.Informers(client)
    caches.of(PODS).replace(await client.list(PODS))
    controller = autoscaling.controller()
    view = runner.View(NOW, caches, client)
    seen = await controller.observe(runner.key_of(AUTOSCALERS, autoscaler), autoscaler, view)
    assert isinstance(seen, horizontal_autoscalers.Seen)
    return seen


async def test_pods_and_metrics_are_those_of_the_targets_selector() -> None:
    client = _server(
        {"metadata": {"name": "mine", "namespace": "default"}},
        {"metadata": {"name": "other", "namespace": "default"}},
    )
    await client.create(DEPLOYMENTS, _deployment())
    await client.create(PODS, _pod("mine", "web"))
    await client.create(PODS, _pod("other", "db"))
    seen = await _seen(client, await client.create(AUTOSCALERS, _autoscaler()))
    assert [pod["metadata"]["name"] for pod in seen.pods] == ["mine"]
    assert [metric["metadata"]["name"] for metric in seen.metrics or ()] == ["mine"]
    assert seen.scale is not None
    assert seen.scale["spec"]["replicas"] == 2


async def test_reading_a_scale_writes_nothing() -> None:
    client = _server()
    before = await client.create(DEPLOYMENTS, _deployment())
    await _seen(client, await client.create(AUTOSCALERS, _autoscaler()))
    after = await client.get(DEPLOYMENTS, "web", "default")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_a_target_that_is_not_there_is_named_as_on_a_cluster() -> None:
    client = _server()
    seen = await _seen(client, await client.create(AUTOSCALERS, _autoscaler()))
    assert seen.scale_error == 'deployments/scale.apps "web" not found'
    strange = _autoscaler(kind="Thing", apiVersion="example.com/v1")
    strange["metadata"]["name"] = "strange"
    seen = await _seen(client, await client.create(AUTOSCALERS, strange))
    assert seen.scale_error == 'no matches for kind "Thing" in group "example.com"'


async def test_a_server_without_metrics_is_said() -> None:
    client = _server(has_metrics=False)
    await client.create(DEPLOYMENTS, _deployment())
    seen = await _seen(client, await client.create(AUTOSCALERS, _autoscaler()))
    assert seen.metrics is None
    assert seen.metrics_error == "the server could not find the requested resource"


def test_a_scaling_counts_once_the_target_has_its_new_size() -> None:
    memory = autoscaling.Memory()
    autoscaler = {**_autoscaler(), "metadata": {"uid": "u"}}
    first = memory.recall(autoscaler, size=2, now=NOW)
    assert first == scaling_rules.History((scaling_rules.Recommendation(NOW, 2),))
    seen = horizontal_autoscalers.Seen(NOW, scale={"spec": {"replicas": 2}})
    memory.note("u", seen, horizontal_autoscalers.Decision((), recommended=4, size=4))
    assert memory.recall(autoscaler, size=2, now=NOW).scalings == ()
    memory.note("u", seen, horizontal_autoscalers.Decision((), recommended=4, size=4))
    history = memory.recall(autoscaler, size=4, now=NOW)
    assert history.scalings == (scaling_rules.Scaling(NOW, 2),)
    assert [each.replicas for each in history.recommendations] == [2, 4, 4]


async def test_an_autoscaler_of_version_1_is_the_same_object_in_version_2() -> None:
    client = _server()
    old = _autoscaler()
    old["spec"]["targetCPUUtilizationPercentage"] = 50
    await client.create(FIRST_VERSION, old)
    new = await client.get(AUTOSCALERS, "web", "default")
    assert new["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    current = {"averageUtilization": 7, "averageValue": "7m"}
    status = {
        "currentReplicas": 1,
        "desiredReplicas": 1,
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": current}}],
    }
    await client.patch(AUTOSCALERS, "web", "default", {"status": status}, subresource="status")
    read = await client.get(FIRST_VERSION, "web", "default")
    assert read["status"]["currentCPUUtilizationPercentage"] == 7
    assert read["spec"]["targetCPUUtilizationPercentage"] == 50
    await client.patch(FIRST_VERSION, "web", "default", {"spec": {"maxReplicas": 9}})
    new = await client.get(AUTOSCALERS, "web", "default")
    assert (new["spec"]["maxReplicas"], new["status"]["currentMetrics"]) == (9, status["currentMetrics"])

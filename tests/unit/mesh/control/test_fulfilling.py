from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests.unit.mesh.control.fake_kubernetes import until

from bookmesh.base.findings import ObjectRef
from bookmesh.base.kubernetes import DEPLOYMENTS, ApiError
from bookmesh.mesh.control import fulfilling
from bookmesh.mesh.control.fulfilling import Fulfiller
from bookmesh.mesh.control.mirroring import Mirror
from bookmesh.mesh.gateway_api.converting import Conversion
from bookmesh.mesh.model.gateway_api import kinds

CLASSES, GATEWAYS, ROUTES = (
    next(kind for kind in kinds.KINDS if kind.kind == name)
    for name in ("GatewayClass", "Gateway", "HTTPRoute")
)
OWNER = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": "edge", "uid": "u1"}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "edge-istio", "namespace": "default", "ownerReferences": [OWNER]},
    "spec": {"selector": {"matchLabels": {"a": "b"}}},
}
ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "fine"}


@pytest.fixture
async def fulfiller(client, monkeypatch):
    monkeypatch.setattr(fulfilling, "RETRY_PAUSE_S", 0.001)
    client.put(
        GATEWAYS.resource,
        {"metadata": {"name": "edge", "namespace": "default", "uid": "u1", "generation": 4}},
    )
    mirrors = {
        kind.name: Mirror(client, kind.resource, on_change=lambda: None)
        for kind in (CLASSES, GATEWAYS, ROUTES)
    }
    found = Fulfiller(client, mirrors, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    tasks = [asyncio.create_task(mirror.run()) for mirror in mirrors.values()]
    tasks.append(asyncio.create_task(found.run()))
    await until(lambda: all(client.watchers(kind.resource) for kind in (CLASSES, GATEWAYS, ROUTES)))
    found.mirrors = mirrors
    yield found
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def stored(client, resource, name, namespace="default"):
    return client.objects.get((resource, namespace, name))


def writes(client):
    return [call[:2] + call[2:] for call in client.calls if call[0] in ("patch", "create")]


async def done(fulfiller):
    """Let it look at a report to the end."""
    await until(lambda: not fulfiller._wake.is_set())
    for _ in range(50):
        await asyncio.sleep(0)


async def test_the_class_is_made_whenever_its_kind_is_served(client, fulfiller):
    fulfiller.report(Conversion())
    await until(lambda: stored(client, CLASSES.resource, "istio", ""))
    assert (
        stored(client, CLASSES.resource, "istio", "")["spec"]["controllerName"]
        == "istio.io/gateway-controller"
    )
    client.remove(CLASSES.resource, "istio")
    await until(lambda: fulfiller.mirrors[CLASSES.name].get("", "istio") is None)
    fulfiller.report(Conversion())
    await until(lambda: stored(client, CLASSES.resource, "istio", ""))


async def test_what_is_missing_is_made_and_what_differs_is_changed(client, fulfiller):
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, DEPLOYMENT),)))
    await until(lambda: stored(client, DEPLOYMENTS, "edge-istio"))
    changed = {**DEPLOYMENT, "spec": {"selector": {"matchLabels": {"a": "c"}}}}
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, changed),)))
    await until(
        lambda: stored(client, DEPLOYMENTS, "edge-istio")["spec"]["selector"]["matchLabels"] == {"a": "c"}
    )
    await done(fulfiller)
    before = len(writes(client))
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, changed),)))
    await done(fulfiller)
    assert len(writes(client)) == before


async def test_what_others_delete_or_change_is_put_right_at_once(client, fulfiller):
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, DEPLOYMENT),)))
    await until(lambda: stored(client, DEPLOYMENTS, "edge-istio"))
    client.remove(DEPLOYMENTS, "edge-istio", "default")
    await until(lambda: stored(client, DEPLOYMENTS, "edge-istio"))
    client.put(DEPLOYMENTS, {**DEPLOYMENT, "spec": {"selector": {"matchLabels": {"a": "their own"}}}})
    await until(
        lambda: stored(client, DEPLOYMENTS, "edge-istio")["spec"]["selector"]["matchLabels"] == {"a": "b"}
    )


async def test_what_is_there_costs_no_request(client, fulfiller):
    wanted = Conversion(deployed=((DEPLOYMENTS, DEPLOYMENT),))
    fulfiller.report(wanted)
    await until(lambda: stored(client, DEPLOYMENTS, "edge-istio"))
    await done(fulfiller)
    before = len(client.calls)
    for _ in range(3):
        fulfiller.report(wanted)
        await done(fulfiller)
    assert len(client.calls) == before


async def test_what_is_refused_is_tried_again_after_a_while(client, fulfiller, monkeypatch):
    monkeypatch.setattr(fulfilling, "REFUSED_PAUSE_S", 0.001)
    client.failures["create", "deployments"] = [ApiError(403, "Forbidden", "exceeded quota")]
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, DEPLOYMENT),)))
    await until(lambda: stored(client, DEPLOYMENTS, "edge-istio"))


async def test_what_the_api_finds_invalid_holds_up_nothing_else(client, fulfiller, caplog):
    client.failures["create", "deployments"] = [ApiError(422, "Invalid", "spec.replicas: Invalid value")]
    other = {**DEPLOYMENT, "metadata": {**DEPLOYMENT["metadata"], "name": "other-istio"}}
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, DEPLOYMENT), (DEPLOYMENTS, other))))
    await until(lambda: stored(client, DEPLOYMENTS, "other-istio"))
    assert "deployments default/edge-istio cannot be made as it is asked for" in caplog.text


async def test_an_object_of_that_name_which_is_not_ours_is_left_alone(client, fulfiller):
    theirs = {"metadata": {"name": "edge-istio", "namespace": "default"}, "spec": {"mine": True}}
    client.put(DEPLOYMENTS, theirs)
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, DEPLOYMENT),)))
    await done(fulfiller)
    assert stored(client, DEPLOYMENTS, "edge-istio")["spec"] == {"mine": True}


async def test_a_status_is_written_once_with_generation_and_time(client, fulfiller):
    conversion = Conversion(
        statuses={ObjectRef(GATEWAYS.name, "edge", "default"): {"conditions": [ACCEPTED]}}
    )
    fulfiller.report(conversion)
    await until(lambda: "status" in stored(client, GATEWAYS.resource, "edge"))
    (condition,) = stored(client, GATEWAYS.resource, "edge")["status"]["conditions"]
    assert (condition["observedGeneration"], condition["lastTransitionTime"]) == (4, "2026-01-02T00:00:00Z")
    await until(
        lambda: (
            fulfiller.mirrors[GATEWAYS.name].get("default", "edge")
            is stored(client, GATEWAYS.resource, "edge")
        )
    )
    await done(fulfiller)
    before = len(writes(client))
    fulfiller.report(conversion)
    await done(fulfiller)
    assert len(writes(client)) == before


async def test_what_fails_is_tried_again(client, fulfiller):
    client.failures["create", "deployments"] = [ApiError(500, "InternalError", "not now")]
    fulfiller.report(Conversion(deployed=((DEPLOYMENTS, DEPLOYMENT),)))
    await until(lambda: stored(client, DEPLOYMENTS, "edge-istio"))

"""Deployments, ReplicaSets, scheduler and endpoints together, against a kubelet that does things in random order."""

from __future__ import annotations

import random

import pytest
from tests.unit.kube.controllers import lab
from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base.kubernetes import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    JsonObject,
)
from bookmesh.kube.controllers import (
    deployments,
    endpoint_slices,
    pods,
    replica_sets,
    rollout_limits,
    scheduling,
)

SEEDS = 200
SURGES: tuple[int | str, ...] = (0, 1, 2, "25%", "50%", "100%")
UNAVAILABLE: tuple[int | str, ...] = (0, 1, "25%", "50%")
ROLLING = (deployments.NAME, replica_sets.NAME, scheduling.NAME, endpoint_slices.NAME)


def deployment(replicas: int, image: str, max_surge: int | str, max_unavailable: int | str) -> JsonObject:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": max_surge, "maxUnavailable": max_unavailable},
            },
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


SERVICE: JsonObject = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "protocol": "TCP"}]},
}


def is_done(client: FakeClient, image: str) -> bool:
    """Tell whether exactly the wanted pods are there, ready, reported and in the endpoints."""
    current = client.find(DEPLOYMENTS, "web")
    assert current is not None
    replicas = current["spec"]["replicas"]
    status = current.get("status") or {}
    if status.get("updatedReplicas", 0) != replicas:
        return False
    present = client.all(PODS)
    slices = client.all(ENDPOINT_SLICES)
    ready = [
        endpoint["addresses"][0]
        for each in slices
        for endpoint in each["endpoints"]
        if endpoint["conditions"]["ready"]
    ]
    return (
        len(present) == replicas
        and all(pod["spec"]["containers"][0]["image"] == image for pod in present)
        and all(pods.is_ready(pod) and pods.is_active(pod) for pod in present)
        and status.get("observedGeneration") == current["metadata"]["generation"]
        and status.get("availableReplicas", 0) == status.get("replicas", 0) == replicas
        and sorted(ready) == sorted(pod["status"]["podIP"] for pod in present)
    )


class Watchman:
    """Checks the limits of the Deployment after each write, once it was available for the first time."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.violations: list[str] = []

    def check(self) -> None:
        current = self._client.find(DEPLOYMENTS, "web")
        assert current is not None
        limits = rollout_limits.limits_of(current)
        active = [pod for pod in self._client.all(PODS) if pods.is_active(pod)]
        ready = [pod for pod in active if pods.is_ready(pod)]
        if len(active) > limits.most:
            self.violations.append(f"{len(active)} pods, at most {limits.most}: {self._client.log[-8:]}")
        if len(ready) < limits.fewest_available:
            message = f"{len(ready)} ready, at least {limits.fewest_available}: {self._client.log[-8:]}"
            self.violations.append(message)


async def roll(seed: int) -> None:
    chance = random.Random(seed)
    client = FakeClient()
    client.pace = lambda: chance.choice((0, 0, 1, 2))
    replicas = chance.randrange(1, 5)
    surge = chance.choice(SURGES)
    unavailable = chance.choice(UNAVAILABLE)
    await client.create(DEPLOYMENTS, deployment(replicas, "web:0", surge, unavailable))
    await client.create(SERVICES, SERVICE)
    async with lab.running(client, only=ROLLING), lab.kubelet(client, chance):
        await lab.until(client, lambda: is_done(client, "web:0"))
        watchman = Watchman(client)
        client.on_write.append(watchman.check)
        images = [f"web:{number}" for number in range(1, chance.randrange(2, 4))]
        if chance.random() < 0.3:
            images.append("web:0")
        for image in images:
            template = deployment(replicas, image, surge, unavailable)["spec"]["template"]
            await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"template": template}})
            if chance.random() < 0.5:
                writes = len(client.log) + chance.randrange(1, 15)
                await lab.until(client, lambda: len(client.log) >= writes or is_done(client, image))  # noqa: B023
            else:
                await lab.until(client, lambda: is_done(client, image))  # noqa: B023
        await lab.until(client, lambda: is_done(client, images[-1]))
    assert watchman.violations == []


@pytest.mark.parametrize("block", range(10))
async def test_rolling_updates_end_right_and_never_break_their_limits(block: int) -> None:
    for seed in range(block * SEEDS // 10, (block + 1) * SEEDS // 10):
        await roll(seed)


async def test_scaling_in_the_middle_of_a_rollout_ends_right() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        client = FakeClient()
        await client.create(DEPLOYMENTS, deployment(3, "web:0", "25%", "25%"))
        await client.create(SERVICES, SERVICE)
        async with lab.running(client), lab.kubelet(client, chance):
            await lab.until(client, lambda: is_done(client, "web:0"))  # noqa: B023
            template = deployment(3, "web:1", "25%", "25%")["spec"]["template"]
            await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"template": template}})
            for replicas in (6, 1, 4):
                writes = len(client.log) + chance.randrange(1, 12)
                await lab.until(client, lambda: len(client.log) >= writes or is_done(client, "web:1"))  # noqa: B023
                await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": replicas}})
            await lab.until(client, lambda: is_done(client, "web:1"))  # noqa: B023
            assert len(client.all(REPLICA_SETS)) == 2


async def test_a_broken_release_never_takes_the_old_one_away() -> None:
    client = FakeClient()
    await client.create(DEPLOYMENTS, deployment(4, "web:0", 1, 0))
    await client.create(SERVICES, SERVICE)
    async with lab.running(client), lab.kubelet(client, random.Random(1)) as node:
        await lab.until(client, lambda: is_done(client, "web:0"))
        node.is_healthy = lambda pod: pod["spec"]["containers"][0]["image"] != "web:bad"
        watchman = Watchman(client)
        client.on_write.append(watchman.check)
        template = deployment(4, "web:bad", 1, 0)["spec"]["template"]
        await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"template": template}})
        await lab.until(client, lambda: len(client.all(PODS)) == 5)
        template = deployment(4, "web:2", 1, 0)["spec"]["template"]
        await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"template": template}})
        await lab.until(client, lambda: is_done(client, "web:2"))
    assert watchman.violations == []


async def test_recreate_never_runs_two_generations() -> None:
    for seed in range(10):
        client = FakeClient()
        body = deployment(3, "web:0", 1, 1)
        body["spec"]["strategy"] = {"type": "Recreate"}
        await client.create(DEPLOYMENTS, body)
        await client.create(SERVICES, SERVICE)
        generations: set[int] = set()

        def count(client: FakeClient = client, generations: set[int] = generations) -> None:
            generations.add(len({pod["spec"]["containers"][0]["image"] for pod in client.all(PODS)}))

        async with lab.running(client), lab.kubelet(client, random.Random(seed)):
            await lab.until(client, lambda: is_done(client, "web:0"))  # noqa: B023
            client.on_write.append(count)
            patch = {"spec": {"template": deployment(3, "web:1", 1, 1)["spec"]["template"]}}
            await client.patch(DEPLOYMENTS, "web", "default", patch)
            await lab.until(client, lambda: is_done(client, "web:1"))  # noqa: B023
        assert generations == {0, 1}


async def test_a_deleted_pod_is_replaced() -> None:
    client = FakeClient()
    await client.create(DEPLOYMENTS, deployment(2, "web:0", 1, 0))
    await client.create(SERVICES, SERVICE)
    async with lab.running(client), lab.kubelet(client, random.Random(2)):
        await lab.until(client, lambda: is_done(client, "web:0"))
        victim = client.all(PODS)[0]["metadata"]
        await client.delete(PODS, victim["name"], "default")
        await lab.until(
            client, lambda: client.find(PODS, victim["name"]) is None and is_done(client, "web:0")
        )


async def test_deleting_a_deployment_takes_everything_with_it() -> None:
    client = FakeClient()
    await client.create(DEPLOYMENTS, deployment(2, "web:0", 1, 0))
    await client.create(SERVICES, SERVICE)
    async with lab.running(client), lab.kubelet(client, random.Random(3)):
        await lab.until(client, lambda: is_done(client, "web:0"))
        await client.delete(DEPLOYMENTS, "web", "default", propagation="Background")
        await lab.until(client, lambda: not client.all(REPLICA_SETS) and not client.all(PODS))


async def test_foreground_deletion_ends_with_the_owner() -> None:
    client = FakeClient()
    await client.create(DEPLOYMENTS, deployment(2, "web:0", 1, 0))
    await client.create(SERVICES, SERVICE)
    async with lab.running(client), lab.kubelet(client, random.Random(4)):
        await lab.until(client, lambda: is_done(client, "web:0"))
        await client.delete(DEPLOYMENTS, "web", "default", propagation="Foreground")
        await lab.until(client, lambda: client.find(DEPLOYMENTS, "web") is None)
        assert client.all(REPLICA_SETS) == []
        assert client.all(PODS) == []


async def test_orphaned_pods_live_on_and_are_adopted_by_the_next_owner() -> None:
    client = FakeClient()
    await client.create(DEPLOYMENTS, deployment(2, "web:0", 1, 0))
    await client.create(SERVICES, SERVICE)
    async with lab.running(client), lab.kubelet(client, random.Random(5)):
        await lab.until(client, lambda: is_done(client, "web:0"))
        before = {pod["metadata"]["uid"] for pod in client.all(PODS)}
        await client.delete(DEPLOYMENTS, "web", "default", propagation="Orphan")
        await lab.until(client, lambda: client.find(DEPLOYMENTS, "web") is None)
        await client.create(DEPLOYMENTS, deployment(2, "web:0", 1, 0))
        await lab.until(client, lambda: is_done(client, "web:0"))
        assert {pod["metadata"]["uid"] for pod in client.all(PODS)} == before

"""The ways of real kubectl to a pod through something else: a label, a Service, a Deployment; and flags of logs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from tests.clients.conftest import Cluster
from tests.clients.manifests import DEPLOYMENT, POD, SERVICE, running_pod
from tests.clients.test_kubectl_streams import echo_server, forwarded, talk
from tests.lab import labs

from bookmesh.pytest_plugin import KubernetesApi


@pytest.fixture
async def reviews(cluster: Cluster) -> AsyncIterator[int]:
    """A Deployment, its Service and one running pod whose port 9080 echoes; gives the port of the echo."""
    template = yaml.safe_load(DEPLOYMENT)["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] = {**pod["metadata"], "name": "reviews-0"}
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT + "---" + SERVICE)
    await running_pod(cluster, yaml.safe_dump(pod))
    async with echo_server() as port:
        cluster.streams.ports[9080] = port
        yield port


@pytest.mark.covers("kubectl", "port-forward (a Service)", "port-forward (a Deployment)")
@pytest.mark.parametrize("target", ["service/reviews", "deployment/reviews"])
async def test_ports_of_what_stands_for_a_pod(cluster: Cluster, reviews: int, target: str) -> None:
    async with forwarded(cluster, 9080, target=target) as (_, local):
        answers = await asyncio.gather(*(talk(local, b"hello %d" % number) for number in range(5)))
    assert answers == [b"HELLO %d" % number for number in range(5)]


@pytest.mark.covers("kubectl", "top")
def test_what_pods_and_nodes_use(kubernetes_namespace: KubernetesApi, kubectl_binary: Path) -> None:
    kubernetes_namespace.kubectl("run", "idle", "--image=curlimages/curl", "--command", "--", "sleep", "600")

    def top(*arguments: str) -> list[str]:
        done = labs.run(
            [kubectl_binary, "top", *arguments, "--no-headers"],
            env=os.environ | kubernetes_namespace.environment,
            check=False,
        )
        return done.stdout.split()

    name, cpu, memory = labs.wait_until(lambda: top("pod", "idle"), within_s=90, what="metrics of the pod")
    assert (name, cpu[-1], memory[-2:]) == ("idle", "m", "Mi")
    assert labs.wait_until(lambda: top("node"), within_s=60, what="metrics of the node")[0] == "bookmesh"


@pytest.mark.covers("kubectl", "logs --since", "logs --timestamps", "logs -l --prefix")
async def test_flags_of_logs_reach_the_node(cluster: Cluster) -> None:
    await running_pod(cluster)
    await running_pod(cluster, POD.replace("name: sleeper", "name: other"))
    cluster.streams.say("a line")
    assert (
        await cluster.ok("logs", "sleeper", "--since=5m", "--timestamps", "--limit-bytes=100") == "a line\n"
    )
    asked = cluster.streams.log_requests[-1]
    assert (asked.since_s, asked.timestamps, asked.limit_bytes) == (300, True, 100)
    prefixed = await cluster.ok("logs", "-l", "app=sleeper", "--prefix")
    assert sorted(prefixed.splitlines()) == ["[pod/other/main] a line", "[pod/sleeper/main] a line"]

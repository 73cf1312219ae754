"""Workloads other than Deployments under real kubectl: they roll, scale, end, and are drained."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
from tests.clients.conftest import Cluster
from tests.clients.living import NODE, living

from bookmesh.base.kubernetes import JsonObject

WAIT = "--timeout=50s"
DATABASE = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: directory.bookmesh.dev
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1", volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
AGENT = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "agent:1"}]}
"""


@pytest.fixture
async def alive(cluster: Cluster) -> AsyncIterator[Cluster]:
    async with living(cluster):
        yield cluster


async def items(cluster: Cluster, *arguments: str) -> list[JsonObject]:
    found: list[JsonObject] = orjson.loads(await cluster.ok("get", *arguments, "-o", "json"))["items"]
    return found


@pytest.mark.covers("kubectl", "rollout (a StatefulSet)")
async def test_a_stateful_set_rolls_and_comes_back(alive: Cluster) -> None:
    await alive.ok("apply", "-f", "-", stdin=DATABASE)
    await alive.ok("rollout", "status", "statefulset/db", WAIT)
    assert [pod["metadata"]["name"] for pod in await items(alive, "pods")] == ["db-0", "db-1"]
    claims = await items(alive, "pvc")
    assert [(claim["metadata"]["name"], claim["status"]["phase"]) for claim in claims] == [
        ("data-db-0", "Bound"),
        ("data-db-1", "Bound"),
    ]
    await alive.ok("set", "image", "statefulset/db", "db=db:2")
    await alive.ok("rollout", "status", "statefulset/db", WAIT)
    assert {pod["spec"]["containers"][0]["image"] for pod in await items(alive, "pods")} == {"db:2"}
    history = await alive.ok("rollout", "history", "statefulset/db")
    assert len([line for line in history.splitlines() if line[:1].isdigit()]) == 2
    await alive.ok("rollout", "undo", "statefulset/db")
    await alive.ok("rollout", "status", "statefulset/db", WAIT)
    assert {pod["spec"]["containers"][0]["image"] for pod in await items(alive, "pods")} == {"db:1"}
    await alive.ok("scale", "statefulset/db", "--replicas=1")
    await alive.ok("wait", "--for=delete", "pod/db-1", WAIT)
    await alive.ok("wait", "--for=jsonpath={.status.readyReplicas}=1", "statefulset/db", WAIT)
    assert "1/1" in await alive.ok("get", "sts")


@pytest.mark.covers("kubectl", "rollout (a DaemonSet)")
async def test_a_daemon_set_rolls(alive: Cluster) -> None:
    await alive.ok("apply", "-f", "-", stdin=AGENT)
    await alive.ok("rollout", "status", "daemonset/agent", WAIT)
    await alive.ok("set", "image", "daemonset/agent", "agent=agent:2")
    await alive.ok("rollout", "status", "daemonset/agent", WAIT)
    (pod,) = await items(alive, "pods")
    assert (pod["spec"]["nodeName"], pod["spec"]["containers"][0]["image"]) == (NODE, "agent:2")
    await alive.ok("rollout", "restart", "daemonset/agent")
    await alive.ok("rollout", "status", "daemonset/agent", WAIT)
    await alive.ok("delete", "daemonset/agent")
    await alive.ok("wait", "--for=delete", "pod", "-l", "app=agent", WAIT)


async def test_jobs_end_well_or_badly(alive: Cluster) -> None:
    await alive.ok("create", "job", "good", "--image=ending")
    await alive.ok("wait", "--for=condition=complete", "job/good", WAIT)
    await alive.ok("apply", "-f", "-", stdin=FAILING)
    await alive.ok("wait", "--for=condition=failed", "job/bad", WAIT)
    assert "BackoffLimitExceeded" in await alive.ok("describe", "job/bad")
    await alive.ok("delete", "job/good", "job/bad", WAIT)
    await alive.ok("wait", "--for=delete", "pod", "-l", "job-name=good", WAIT)


FAILING = """
apiVersion: batch/v1
kind: Job
metadata: {name: bad}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: failing}]
"""


@pytest.mark.covers("kubectl", "create job --from")
async def test_a_job_of_a_cron_job(alive: Cluster) -> None:
    await alive.ok("create", "cronjob", "report", "--image=ending", "--schedule=0 0 29 2 *")
    assert "0 0 29 2 *" in await alive.ok("get", "cj")
    await alive.ok("create", "job", "now", "--from=cronjob/report")
    await alive.ok("wait", "--for=condition=complete", "job/now", WAIT)
    error = await alive.fails("create", "cronjob", "wrong", "--image=x", "--schedule=never")
    assert "spec.schedule" in error
    await alive.ok("delete", "cronjob/report")
    await alive.ok("wait", "--for=delete", "job/now", WAIT)


@pytest.mark.covers("kubectl", "drain")
async def test_a_drain_keeps_to_the_budget(alive: Cluster) -> None:
    await alive.ok("create", "deployment", "web", "--image=web:1", "--replicas=2")
    await alive.ok("rollout", "status", "deployment/web", WAIT)
    await alive.ok("create", "pdb", "web", "--selector=app=web", "--min-available=2")
    await alive.ok("wait", "--for=jsonpath={.status.expectedPods}=2", "pdb/web", WAIT)
    error = await alive.fails("drain", NODE, "--timeout=2s")
    assert "Cannot evict pod as it would violate the pod's disruption budget" in error
    await alive.ok("uncordon", NODE)
    await alive.ok("patch", "pdb/web", "--type=merge", "-p", '{"spec":{"minAvailable":1}}')
    await alive.ok("wait", "--for=jsonpath={.status.disruptionsAllowed}=1", "pdb/web", WAIT)
    first = (await items(alive, "pods"))[0]["metadata"]["name"]
    await alive.ok("drain", NODE, "--pod-selector=app=web", "--timeout=50s", "--disable-eviction=true")
    assert first not in [pod["metadata"]["name"] for pod in await items(alive, "pods")]

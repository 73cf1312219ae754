"""What pods use is shown, and autoscalers follow it: real load, real sandboxes, stock kubectl."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab
NAMESPACE = "autoscaled"
# Works while /load/on is there; the kubelet shows and hides it with the ConfigMap.
WORKER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: c
        image: curlimages/curl
        command:
        - sh
        - -c
        - |
          while :; do
            if [ -e /load/on ]; then i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; else sleep 1; fi
          done
        resources: {requests: {cpu: 20m, memory: 8Mi}}
        volumeMounts: [{name: load, mountPath: /load}]
      volumes: [{name: load, configMap: {name: load, optional: true}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: worker}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}
"""


@pytest.fixture(scope="module")
def lab(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    bookinfo.kubectl("create", "namespace", NAMESPACE)
    bookinfo.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=WORKER)
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _kubectl(lab: labs.Lab, *arguments: str) -> str:
    return lab.kubectl("-n", NAMESPACE, *arguments).stdout


def _is_told(lab: labs.Lab, reason: str) -> bool:
    return reason in _kubectl(lab, "describe", "hpa", "worker")


def _replicas(lab: labs.Lab) -> int:
    return int(_kubectl(lab, "get", "deployment", "worker", "-o", "jsonpath={.spec.replicas}"))


def test_top_shows_each_container_and_the_node(lab: labs.Lab) -> None:
    def listed() -> dict[tuple[str, str], tuple[int, int]]:
        shown = lab.kubectl("top", "pod", "--containers", "--no-headers", check=False)
        rows = [line.split() for line in shown.stdout.splitlines()]
        return {
            (row[0].partition("-v1-")[0], row[1]): (
                int(row[2].removesuffix("m")),
                int(row[3].removesuffix("Mi")),
            )
            for row in rows
        }

    pair = {("details", "details"), ("details", "istio-proxy")}
    rows = labs.wait_until(lambda: pair <= (found := listed()).keys() and found, within_s=60)
    assert 2 <= rows["details", "details"][1] < 100
    assert 5 <= rows["details", "istio-proxy"][1] < 200
    name, cores, share, *_ = labs.wait_until(
        lambda: lab.kubectl("top", "node", "--no-headers", check=False).stdout.split(), within_s=60
    )
    assert name == "bookmesh"
    assert int(cores.removesuffix("m")) > 0
    assert share.endswith("%")


@pytest.mark.timeout(300)
def test_load_makes_a_deployment_grow_and_its_end_makes_it_shrink(lab: labs.Lab) -> None:
    def targets() -> str:
        return _kubectl(lab, "get", "hpa", "worker", "--no-headers")

    labs.wait_until(lambda: "%/80%" in targets(), within_s=60, what="idle metrics")
    assert _replicas(lab) == 1
    _kubectl(lab, "create", "configmap", "load", "--from-literal=on=yes")
    labs.wait_until(lambda: _replicas(lab) == 3, within_s=90, what="three replicas")

    def busiest() -> int:
        top = lab.kubectl("-n", NAMESPACE, "top", "pod", "--sort-by=cpu", "--no-headers", check=False).stdout
        return int(top.splitlines()[0].split()[1].removesuffix("m")) if top else 0

    labs.wait_until(lambda: busiest() > 16, what="more than the target, on a machine however busy")
    _kubectl(lab, "delete", "configmap", "load")
    labs.wait_until(lambda: _replicas(lab) == 1, within_s=90, what="one replica")
    for reason in (
        "reason: cpu resource utilization (percentage of request) above target",
        "New size: 1; reason: All metrics below target",
    ):
        labs.wait_until(functools.partial(_is_told, lab, reason), what=reason)
    status = json.loads(_kubectl(lab, "get", "hpa", "worker", "-o", "json"))["status"]
    assert {entry["type"] for entry in status["conditions"]} == {
        "AbleToScale",
        "ScalingActive",
        "ScalingLimited",
    }


def test_kubectl_autoscale_makes_an_autoscaler_that_both_versions_show(lab: labs.Lab) -> None:
    _kubectl(
        lab, "autoscale", "deployment", "worker", "--name=other", "--min=1", "--max=2", "--cpu-percent=70"
    )
    old = json.loads(_kubectl(lab, "get", "horizontalpodautoscalers.v1.autoscaling", "other", "-o", "json"))
    new = json.loads(_kubectl(lab, "get", "horizontalpodautoscalers.v2.autoscaling", "other", "-o", "json"))
    assert old["spec"]["targetCPUUtilizationPercentage"] == 70
    assert new["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    _kubectl(lab, "delete", "hpa", "other")

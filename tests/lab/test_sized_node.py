"""A node of a given size: what does not fit waits, until something of lower priority has to go for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import labs

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("host")]
WAIT = "--timeout=60s"
HIGH = """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
"""


@pytest.fixture
def kube(tmp_path: Path, lab_numbers: set[int]) -> Iterator[labs.Lab]:
    lab = labs.Lab(labs.new_name(lab_numbers, kind="sized"), tmp_path / "home")
    labs.run([labs.BOOKMESH, "kube", "up", "--name", lab.name, "--node-cpu", "1"], env=lab.env)
    yield lab
    labs.run([labs.BOOKMESH, "kube", "down", "--name", lab.name], env=lab.env)


def pod(name: str, cpu: str, **spec: str) -> str:
    container = {
        "name": "c",
        "image": "curlimages/curl",
        "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"],
        "resources": {"requests": {"cpu": cpu}},
    }
    body = {"containers": [container], "terminationGracePeriodSeconds": 2, **spec}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body})


def test_requests_are_added_up_and_the_more_important_pod_gets_its_place(kube: labs.Lab) -> None:
    assert kube.get("node", "bookmesh")["status"]["allocatable"]["cpu"] == "1"
    kube.apply(pod("first", "600m"))
    kube.kubectl("wait", "--for=condition=Ready", "pod/first", WAIT)
    kube.apply(pod("second", "600m"))
    kube.kubectl("wait", "--for=condition=PodScheduled=false", "pod/second", WAIT)
    told = (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
        "1 No preemption victims found for incoming pod."
    )
    labs.wait_until(lambda: told in kube.kubectl("describe", "pod", "second").stdout, what=told)

    kube.apply(HIGH)
    kube.apply(pod("third", "700m", priorityClassName="high"))
    kube.kubectl("wait", "--for=condition=Ready", "pod/third", WAIT)
    labs.wait_until(lambda: "Preempted by pod" in kube.kubectl("get", "events").stdout, what="the event")
    assert {each["metadata"]["name"] for each in kube.get("pods")["items"]} == {"second", "third"}

    kube.kubectl("delete", "pod", "third")
    kube.kubectl("wait", "--for=condition=Ready", "pod/second", WAIT)

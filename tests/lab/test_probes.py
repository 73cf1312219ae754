"""gRPC probes in a cluster: a server that speaks the health protocol, of whatever origin."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import labs

from bookmesh.kube.sandbox import specification

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("host")]
WAIT = "--timeout=60s"
SERVER = """
import concurrent.futures, grpc, pathlib
def check(request, context):
    if request[2:] != b"shop":
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return bytes((8, 2 if pathlib.Path("/tmp/sick").exists() else 1))
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
methods = {"Check": grpc.unary_unary_rpc_method_handler(check)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", methods),))
server.add_insecure_port("0.0.0.0:9000")
server.start()
server.wait_for_termination()
"""


@pytest.fixture
def kube(tmp_path: Path, lab_numbers: set[int]) -> Iterator[labs.Lab]:
    lab = labs.Lab(labs.new_name(lab_numbers, kind="probes"), tmp_path / "home")
    labs.run([labs.BOOKMESH, "kube", "up", "--name", lab.name], env=lab.env)
    yield lab
    labs.run([labs.BOOKMESH, "kube", "down", "--name", lab.name], env=lab.env)


def pod(name: str, service: str) -> str:
    paths = [mount.source for mount in specification.python_mounts()]
    container = {
        "name": "server",
        "image": "curlimages/curl",
        "command": [sys.executable, "-c", SERVER],
        "volumeMounts": [{"name": f"m{i}", "mountPath": path} for i, path in enumerate(paths)],
        "readinessProbe": {
            "grpc": {"port": 9000, "service": service},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
    }
    volumes = [{"name": f"m{i}", "hostPath": {"path": path}} for i, path in enumerate(paths)]
    spec = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def test_a_grpc_probe_asks_for_its_service(kube: labs.Lab) -> None:
    kube.apply(pod("shop", "shop"))
    kube.apply(pod("other", "other"))
    kube.kubectl("wait", "--for=condition=Ready", "pod/shop", WAIT)
    kube.kubectl("exec", "shop", "--", "touch", "/tmp/sick")
    kube.kubectl("wait", "--for=condition=Ready=false", "pod/shop", WAIT)

    def events() -> str:
        return kube.kubectl("get", "events").stdout

    labs.wait_until(lambda: "NotFound desc = unknown service" in events(), what="the refusal")
    labs.wait_until(
        lambda: 'service unhealthy (responded with "NOT_SERVING")' in events(),
        what="the answer of the sick one",
    )
    ready = kube.get("pod", "other")["status"]["conditions"]
    assert {each["status"] for each in ready if each["type"] == "Ready"} == {"False"}

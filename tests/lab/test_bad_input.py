"""What goes wrong says so: a clear message, the right exit code, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad}
spec:
  replicas: 1
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec:
      containers: [{name: app, image: nowhere.example.com/unknown/image:7}]
"""
RECREATE = {"type": "Recreate", "rollingUpdate": None}


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        pytest.param("apiVersion: v1\nkind: [", "error parsing", id="malformed YAML"),
        pytest.param(
            "apiVersion: v1\nkind: Unicorn\nmetadata: {name: x}",
            'no matches for kind "Unicorn" in version "v1"',
            id="unknown kind",
        ),
        pytest.param(
            DEPLOYMENT.replace("replicas: 1", "replicass: 1"),
            'unknown field "spec.replicass"',
            id="unknown field",
        ),
        pytest.param(
            DEPLOYMENT.replace("replicas: 1", "replicas: many"),
            "spec.replicas",
            id="wrong type in a built-in kind",
        ),
        pytest.param(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x}\n"
            "spec: {hosts: [x], http: [{route: [{destination: {host: x}, wieght: 5}]}]}",
            'unknown field "spec.http[0].route[0].wieght"',
            id="unknown field of an Istio kind",
        ),
        pytest.param(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x}\n"
            "spec: {hosts: [x], http: [{route: [{destination: {host: x}, weight: lots}]}]}",
            "spec.http[0].route[0].weight",
            id="wrong type in an Istio kind",
        ),
    ],
)
def test_kubectl_refuses_what_is_wrong(bookinfo: labs.Lab, yaml: str, message: str) -> None:
    refused = bookinfo.kubectl("apply", "-f", "-", stdin=yaml, check=False)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert bookinfo.kubectl("get", "virtualservice", "x", check=False).returncode == 1
    assert bookinfo.kubectl("get", "deployment", "bad", check=False).returncode == 1


def test_an_unknown_image_says_how_to_go_on(bookinfo: labs.Lab) -> None:
    bookinfo.apply(DEPLOYMENT)
    try:
        labs.wait_until(
            lambda: (
                "ErrImagePull" in (table := bookinfo.kubectl("get", "pods", "-l", "app=bad").stdout)
                or "ImagePullBackOff" in table
            ),
            what="ErrImagePull in kubectl get pods",
        )
        described = bookinfo.kubectl("describe", "pods", "-l", "app=bad").stdout
        assert "BM0301" in described
        assert "nowhere.example.com/unknown/image:7" in described
        assert "docs/reference/images.md" in described
    finally:
        bookinfo.kubectl("delete", "deployment", "bad")
        bookinfo.kubectl("wait", "--for=delete", "pods", "-l", "app=bad", "--timeout=60s")


def test_a_second_up_changes_nothing(bookinfo: labs.Lab) -> None:
    def pods() -> list[str]:
        """Of namespaces that no other test takes away at the moment."""
        items = [*bookinfo.get("pods")["items"], *bookinfo.get("pods", "-n", "istio-system")["items"]]
        return [pod["metadata"]["uid"] for pod in items]

    before = pods()
    again = bookinfo.bookmesh("up")
    assert "was running already" in again.stderr
    assert pods() == before


def test_a_second_up_with_another_port_is_misuse(bookinfo: labs.Lab) -> None:
    refused = bookinfo.bookmesh("up", "--port", "1", check=False)
    assert refused.returncode == 2
    assert "error[BM0106]" in refused.stderr


def test_a_port_in_use_is_named_and_nothing_is_left(new_lab: Callable[[], labs.Lab]) -> None:
    lab = new_lab()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = lab.bookmesh("up", "--port", str(port), check=False)
    assert refused.returncode == 1
    assert "error[BM0102]" in refused.stderr
    assert str(port) in refused.stderr
    assert lab.bookmesh("status", check=False).returncode == 1


def test_commands_without_a_lab_say_how_to_start_one(new_lab: Callable[[], labs.Lab]) -> None:
    lab = new_lab()
    for command in ("status", "env", "kubeconfig", "logs"):
        refused = lab.bookmesh(command, check=False)
        assert refused.returncode == 1, command
        assert "error[BM0103]" in refused.stderr, command
        assert "bookmesh up" in refused.stderr, command


def test_an_impossible_name_is_misuse(new_lab: Callable[[], labs.Lab]) -> None:
    lab = new_lab()
    lab.name = "No Such Name"
    refused = lab.bookmesh("up", check=False)
    assert refused.returncode == 2
    assert "error[BM0107]" in refused.stderr


def test_an_unknown_option_is_misuse(bookinfo: labs.Lab) -> None:
    assert bookinfo.bookmesh("up", "--no-such-option", check=False).returncode == 2


def test_a_file_that_is_not_there_is_misuse(bookinfo: labs.Lab) -> None:
    refused = bookinfo.bookmesh("up", "-f", "/no/such/file.yaml", check=False)
    assert refused.returncode == 2
    assert "/no/such/file.yaml" in refused.stderr


def test_files_that_kubectl_refuses_leave_the_lab_up(bookinfo: labs.Lab, tmp_path: Path) -> None:
    file = tmp_path / "refused.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: No Such Name}\n")
    refused = bookinfo.bookmesh("up", "-f", str(file), check=False)
    assert refused.returncode == 1
    assert "error[BM0109]" in refused.stderr
    assert 'metadata.name: Invalid value: "No Such Name"' in refused.stderr
    assert bookinfo.status()["name"] == bookinfo.name


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_a_host_that_allows_no_namespaces_is_named_and_exits_3(new_lab: Callable[[], labs.Lab]) -> None:
    """A root without any capability, as in a locked-down container."""
    lab = new_lab()
    powerless = ["unshare", "-U", "-r", "setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    refused = labs.run([*powerless, labs.BOOKMESH, "up", "--name", lab.name], env=lab.env, check=False)
    assert refused.returncode == 3, refused.stderr
    assert "error[BM0101]" in refused.stderr
    assert "hint:" in refused.stderr
    doctor = labs.run([*powerless, labs.BOOKMESH, "doctor"], env=lab.env, check=False)
    assert doctor.returncode == 3
    assert "error[BM0101]" in doctor.stderr
    assert "this machine can run a lab" not in doctor.stdout


def test_a_gateway_that_is_not_ready_in_time_is_described_and_the_lab_stays_up(
    new_lab: Callable[[], labs.Lab],
) -> None:
    lab = new_lab()
    lab.bookmesh("up")
    broken = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nowhere/x:7"}]
    lab.kubectl(
        *("-n", "istio-system", "patch", "deployment", "istio-ingressgateway"),
        *(
            "--type=json",
            "-p",
            json.dumps([*broken, {"op": "add", "path": "/spec/strategy", "value": RECREATE}]),
        ),
    )
    labs.wait_until(
        lambda: "ImagePull" in lab.kubectl("get", "pods", "-n", "istio-system").stdout,
        what="a broken gateway",
    )
    pid: int = json.loads((lab.home / lab.name / "daemon.pid").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    labs.wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the lab to be gone")
    refused = lab.bookmesh("up", "--timeout", "3", check=False)
    assert refused.returncode == 1
    words = " ".join(refused.stderr.split())
    assert "error[BM0111]" in words
    assert "after 3 s" in words
    assert "pod istio-system/istio-ingressgateway-" in words
    assert "ImagePull" in words
    assert "BM0301" in words
    assert lab.status()["name"] == lab.name

"""The fixtures of Bookmesh in somebody else's project: a folder of its own, and its own run of pytest."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

PROJECT = """
import yaml
import kubernetes


def test_the_server_answers(kubernetes_api):
    assert kubernetes_api.request("GET", "/version")["major"] == "1"
    assert "default" in kubernetes_api.kubectl("get", "namespaces", "-o", "name")


def test_a_namespace_is_what_kubectl_means(kubernetes_namespace, tmp_path):
    (tmp_path / "map.yaml").write_text(
        yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}})
    )
    assert kubernetes_namespace.apply(tmp_path / "map.yaml") == "configmap/a created\\n"
    path = f"/api/v1/namespaces/{kubernetes_namespace.namespace}/configmaps/a"
    assert kubernetes_namespace.request("GET", path)["data"] == {"k": "v"}


def test_each_test_has_a_namespace_of_its_own(kubernetes_namespace):
    kubernetes_namespace.kubectl("wait", "--for=create", "configmap/kube-root-ca.crt", "--timeout=50s")
    assert kubernetes_namespace.kubectl("get", "configmaps", "-o", "name").split() == [
        "configmap/kube-root-ca.crt"
    ]


def test_clients_use_the_kubeconfig(kubernetes_namespace):
    client = kubernetes.config.new_client_from_config(str(kubernetes_namespace.kubeconfig))
    with client:
        api = kubernetes.client.AppsV1Api(client)
        body = {
            "metadata": {"name": "web"},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": "web"}]},
                },
            },
        }
        api.create_namespaced_deployment(kubernetes_namespace.namespace, body)
    kubernetes_namespace.kubectl(
        "wait", "--for=jsonpath={.status.unavailableReplicas}=1", "deployment/web", "--timeout=50s"
    )
"""


def _pytest(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp=tmp", *arguments]
    return subprocess.Popen(
        command,
        cwd=directory,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _server(directory: Path) -> int:
    """The pid of the API server of a run, which must be there."""
    pid: int = json.loads((directory / "tmp/kubernetes0/pytest/daemon.pid").read_text())["pid"]
    return pid


def _wait_for_the_end(pid: int) -> None:
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"process {pid} runs still"
        time.sleep(0.02)


def test_a_project_uses_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(PROJECT)
    run = _pytest(tmp_path)
    output, _ = run.communicate(timeout=100)
    assert run.returncode == 0, output
    assert re.search(r"^4 passed", output, re.MULTILINE), output
    assert list(tmp_path.glob("tmp/kubernetes*/*")) == [], "nothing is left of the server"


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop}]}
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: examples.example.dev}
spec:
  group: example.dev
  scope: Namespaced
  names: {plural: examples, singular: example, kind: Example}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
EXAMPLE = "{apiVersion: example.dev/v1, kind: Example, metadata: {name: one}, spec: {}}"
BOTH = """
def test_kinds_come_before_their_objects(kubernetes_namespace):
    said = kubernetes_namespace.apply("deploy/crd.yaml", "deploy/example.yaml")
    assert said.endswith("example.example.dev/one created\\n")
"""


def test_the_guide_works_as_it_is_written(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/guides/testing-with-kubernetes.md").read_text()
    files = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", guide, re.DOTALL))
    assert sorted(files) == ["my_operator.py", "test_my_operator.py", "test_shop.py"]
    files |= {"deploy/shop.yaml": DEPLOYMENT, "deploy/crd.yaml": DEFINITION, "deploy/example.yaml": EXAMPLE}
    (tmp_path / "deploy").mkdir()
    for name, text in (files | {"test_both.py": BOTH}).items():
        (tmp_path / name).write_text(text)
    run = _pytest(tmp_path)
    output, _ = run.communicate(timeout=100)
    assert run.returncode == 0, output
    assert re.search(r"^3 passed", output, re.MULTILINE), output


def test_the_extent_is_a_setting_or_an_option(tmp_path: Path) -> None:
    own = (
        "def test_accounts(kubernetes_namespace):\n"
        "    kubernetes_namespace.kubectl(\n"
        "        'wait', '--for=create', 'serviceaccount/default', '--timeout={}s'\n"
        "    )\n"
    )
    (tmp_path / "test_own.py").write_text(own.format(2))
    (tmp_path / "pytest.ini").write_text("[pytest]\nkubernetes_extent = api\n")
    run = _pytest(tmp_path)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "timed out waiting for the condition" in output
    (tmp_path / "test_own.py").write_text(own.format(30))
    run = _pytest(tmp_path, "--kubernetes-extent=controllers")
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output


def test_a_killed_run_leaves_no_server(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys, time\n\n\n"
        "def test_slow(kubernetes_api):\n"
        "    sys.__stdout__.write('it is up\\n')\n"
        "    sys.__stdout__.flush()\n"
        "    time.sleep(60)\n"
    )
    run = _pytest(tmp_path, "-s")
    with run:
        assert run.stdout is not None
        assert any("it is up" in line for line in run.stdout)
        server = _server(tmp_path)
        assert Path(f"/proc/{server}").exists()
        run.send_signal(signal.SIGKILL)
    _wait_for_the_end(server)

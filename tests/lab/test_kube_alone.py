"""`bookmesh kube`: a Kubernetes without a mesh, in each of its extents, as people use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: kennethreitz/httpbin, ports: [{containerPort: 80}]}]
"""


class Kube(labs.Lab):
    """A cluster whose commands are those of `bookmesh kube`."""

    def kube(self, command: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        line = [labs.BOOKMESH, "kube", command, "--name", self.name, *arguments]
        return labs.run(line, env=self.env, check=check)


@pytest.fixture
def new_kube(tmp_path: Path, lab_numbers: set[int]) -> Iterator[Callable[[], Kube]]:
    """Make clusters that are not up yet; all are ended with the test."""
    made: list[Kube] = []

    def make() -> Kube:
        made.append(Kube(labs.new_name(lab_numbers, kind="kube"), tmp_path / "home"))
        return made[-1]

    yield make
    for cluster in made:
        cluster.kube("down", check=False)


def _pod_phases(kube: Kube) -> list[str]:
    return [pod["status"]["phase"] for pod in kube.get("pods")["items"]]


def test_with_a_node_pods_run_and_answer_without_any_proxy(host: None, new_kube: Callable[[], Kube]) -> None:
    kube = new_kube()
    kubeconfig = Path(kube.kube("up").stdout.strip())
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    kube.apply(WEB)
    kube.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    (pod,) = kube.get("pods", "-l", "app=web")["items"]
    assert [container["name"] for container in pod["spec"]["containers"]] == ["web"]
    assert "initContainers" not in pod["spec"]
    kube.kubectl("expose", "deployment", "web", "--port=8000", "--target-port=80")
    kube.kubectl("run", "caller", "--image=curlimages/curl", "--command", "--", "sleep", "600")
    kube.kubectl("wait", "--for=condition=Ready", "pod/caller", "--timeout=60s")
    call = ["exec", "caller", "--", "curl", "-fsS", "http://web:8000/status/418"]
    labs.wait_until(lambda: "418" in kube.kubectl(*call, check=False).stderr, what="an answer of the service")
    assert "virtualservices" not in kube.kubectl("api-resources", "-o", "name").stdout
    status = json.loads(kube.kube("status", "-o", "json").stdout)
    assert (status["extent"], status["proxies"], status["findings"]) == ("node", [], [])


def test_without_a_node_controllers_work_and_pods_wait(new_kube: Callable[[], Kube]) -> None:
    kube = new_kube()
    kube.kube("up", "--no-node")
    kube.apply(WEB)
    labs.wait_until(lambda: _pod_phases(kube) == ["Pending"], what="the Deployment's pod")
    pod = kube.get("pods")["items"][0]["metadata"]["name"]
    logs = kube.kubectl("logs", pod, check=False)
    assert logs.returncode == 1
    kube.kubectl("create", "namespace", "shop")
    kube.kubectl("delete", "namespace", "shop", "--timeout=30s")


def test_the_api_server_alone_keeps_objects_and_nothing_acts_on_them(new_kube: Callable[[], Kube]) -> None:
    kube = new_kube()
    kube.kube("up", "--api-only")
    kube.apply(WEB)
    assert kube.get("deployment", "web")["spec"]["strategy"]["type"] == "RollingUpdate"
    assert kube.get("pods,replicasets,serviceaccounts")["items"] == []


def test_objects_come_back_after_kill_9_on_the_same_port(new_kube: Callable[[], Kube]) -> None:
    kube = new_kube()
    kube.kube("up", "--api-only")
    kube.kubectl("create", "configmap", "last-words", "--from-literal=said=acknowledged")
    before = kube.get("configmap", "last-words")
    url = json.loads(kube.kube("status", "-o", "json").stdout)["api"]["url"]
    os.kill(json.loads((kube.home / kube.name / "daemon.pid").read_text())["pid"], signal.SIGKILL)
    labs.wait_until(lambda: kube.kube("status", check=False).returncode == 1, what="the end")
    kube.kube("up", "--no-node")
    assert kube.get("configmap", "last-words") == before
    assert json.loads(kube.kube("status", "-o", "json").stdout)["api"]["url"] == url


def test_commands_with_a_name_know_it_and_down_leaves_nothing(new_kube: Callable[[], Kube]) -> None:
    kube = new_kube()
    kube.kube("up", "--api-only")
    variables = kube.kube("env").stdout
    assert f"export KUBECONFIG={kube.home / kube.name / 'kubeconfig'}\n" in variables
    assert kube.bookmesh("env").stdout == variables
    again = kube.kube("up", "--api-only")
    assert "was running already" in again.stderr
    other = kube.bookmesh("up", check=False)
    assert other.returncode == 2
    assert "as an API server alone, not with a mesh" in other.stderr
    pid = json.loads((kube.home / kube.name / "daemon.pid").read_text())["pid"]
    kube.kube("down")
    labs.wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the end of the process")
    assert not kube.home.exists()


def test_flags_that_exclude_each_other_are_misuse(new_kube: Callable[[], Kube]) -> None:
    kube = new_kube()
    assert kube.kube("up", "--api-only", "--no-node", check=False).returncode == 2
    assert kube.kube("up", "--no-node", "--internet", check=False).returncode == 2


AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: RequestResponse
    verbs: [create, watch, delete]
    resources: [{group: "", resources: [configmaps]}]
"""


def test_requests_are_written_down_as_a_policy_says_also_after_kill_9(
    new_kube: Callable[[], Kube], tmp_path: Path
) -> None:
    kube, policy, log = new_kube(), tmp_path / "policy.yaml", tmp_path / "audit.log"
    policy.write_text(AUDIT_POLICY)
    assert kube.kube("up", "--api-only", "--audit-log-path", str(log), check=False).returncode == 2
    audited = ("--audit-policy-file", str(policy), "--audit-log-path", str(log))
    kube.kube("up", "--api-only", *audited)
    kube.kubectl("create", "configmap", "one", "--from-literal=a=b")
    kube.kubectl("create", "secret", "generic", "hidden", "--from-literal=a=b")
    kube.kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=1")
    os.kill(json.loads((kube.home / kube.name / "daemon.pid").read_text())["pid"], signal.SIGKILL)
    labs.wait_until(lambda: kube.kube("status", check=False).returncode == 1, what="the end")
    kube.kube("up", "--api-only")
    kube.kubectl("delete", "configmap", "one")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {event["objectRef"]["resource"] for event in events} == {"configmaps"}
    told = [(event["verb"], event["stage"], event["responseStatus"]["code"]) for event in events]
    assert told == [
        ("create", "ResponseComplete", 201),
        ("watch", "ResponseStarted", 200),
        ("watch", "ResponseComplete", 200),
        ("delete", "ResponseComplete", 200),
    ]
    assert events[0]["responseObject"]["data"] == events[0]["requestObject"]["data"] == {"a": "b"}
    assert events[0]["userAgent"].startswith("kubectl")
    policy.write_text("kind: Policy")
    refused = kube.kube("up", "--api-only", *audited, check=False)
    assert refused.returncode == 2
    assert "apiVersion and kind are not audit.k8s.io/v1 and Policy" in refused.stderr


def test_faults_strike_kubectl_until_they_are_used_up_or_taken_back(new_kube: Callable[[], Kube]) -> None:
    kube = new_kube()
    kube.kube("up", "--api-only")

    def dial(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        line = [labs.BOOKMESH, "kube", "fault", arguments[0], "--name", kube.name, *arguments[1:]]
        return labs.run(line, env=kube.env, check=check)

    kube.kubectl("get", "secrets")
    dial("add", "--verb", "list", "--resource", "secrets", "--code", "403", "--count", "1")
    refused = kube.kubectl("get", "secrets", check=False)
    assert (refused.returncode, "forbidden: a fault that was asked for" in refused.stderr) == (1, True)
    kube.kubectl("get", "secrets")
    dial("add", "--verb", "create", "--code", "409", "--delay", "10ms")
    (shown,) = json.loads(dial("list", "-o", "json").stdout)["faults"]
    assert (shown["number"], shown["code"], shown["delay_s"], shown["count"]) == (2, 409, 0.01, None)
    assert kube.kubectl("create", "configmap", "a", check=False).returncode == 1
    assert "BM0131" in dial("remove", "7", check=False).stderr
    assert dial("remove", "2").stdout == "no faults are set\n"
    kube.kubectl("create", "configmap", "a")
    assert dial("add", check=False).returncode == 2
    dial("clear")

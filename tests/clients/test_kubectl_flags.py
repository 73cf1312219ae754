"""The flags of the verbs that reach into pods, one by one, as kubectl documents them; pods really run here."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.test_kubectl_terminals import IMAGE, Kubectl, kubectl
from tests.lab import labs

__all__ = ["kubectl"]
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: both}}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: first, image: curlimages/curl, command: [sh, -c, echo prepared]}
  containers:
  - {name: a, image: curlimages/curl, command: [sh, -c, "echo one; echo two; echo three >&2; sleep 1000"]}
  - {name: b, image: curlimages/curl, command: [sh, -c, "echo other; sleep 1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: over, labels: {app: both}}
spec:
  restartPolicy: Never
  containers:
  - {name: c, image: curlimages/curl, command: [sh, -c, "echo last words; exit 3"]}
"""
WEB = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: web, image: kennethreitz/httpbin, readinessProbe: {httpGet: {port: 80, path: /get}}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 8000, targetPort: 80}]}
"""


@pytest.fixture
def two(kubectl: Kubectl) -> Kubectl:
    kubectl.run("apply", "-f", "-", stdin=PODS)
    kubectl.run("wait", "--for=condition=Ready", "pod/two", "--timeout=60s")
    kubectl.run("wait", "--for=jsonpath={.status.phase}=Failed", "pod/over", "--timeout=60s")
    return kubectl


@pytest.mark.covers(
    "kubectl",
    "logs --all-containers",
    "logs --limit-bytes",
    "logs --since-time",
    "logs --max-log-requests",
    "logs --tail=-1",
    "logs (an init container)",
    "logs (an ended container)",
    "logs --insecure-skip-tls-verify-backend",
)
def test_logs(two: Kubectl) -> None:
    def logs(*arguments: str) -> list[str]:
        return two.run("logs", *arguments).stdout.splitlines()

    everything = ["[pod/two/first] prepared", "[pod/two/b] other", *(f"[pod/two/a] {word}" for word in WORDS)]
    assert sorted(logs("two", "--all-containers", "--prefix")) == sorted(everything)
    both = logs("-l", "app=both", "--all-containers", "--prefix", "--tail=-1")
    assert sorted(both) == sorted([*everything, "[pod/over/c] last words"])
    assert logs("two", "-c", "first") == ["prepared"]
    assert logs("over") == logs("over", "-f") == ["last words"]
    assert logs("two", "-c", "a", "--limit-bytes=5") == ["one", "t"]
    assert logs("two", "-c", "a", "--tail=0") == []
    assert logs("two", "-c", "a", "--since-time=2020-01-01T00:00:00Z") == list(WORDS)
    assert logs("two", "-c", "a", "--since-time=2100-01-01T00:00:00+02:00") == []
    assert logs("two", "-c", "a", "--insecure-skip-tls-verify-backend", "--tail=1") == ["three"]
    refused = two.run("logs", "-f", "-l", "app=both", "--all-containers", "--max-log-requests=2", check=False)
    assert "maximum allowed concurrency is 2" in refused.stderr


WORDS = ("one", "two", "three")


@pytest.mark.covers("kubectl", "logs --all-pods", "logs --ignore-errors", "exec (a Deployment)")
def test_what_stands_for_several_pods(kubectl: Kubectl) -> None:
    script = "echo from $HOSTNAME; sleep 1000"
    kubectl.run("create", "deployment", "twins", IMAGE, "--replicas=2", "--", "sh", "-c", script)
    kubectl.run("rollout", "status", "deployment/twins", "--timeout=60s")
    shown = kubectl.run("logs", "deployment/twins", "--all-pods").stdout
    names = kubectl.run("get", "pods", "-o", "jsonpath={.items[*].metadata.name}").stdout.split()
    assert sorted(shown.splitlines()) == sorted(f"[pod/{name}/curl] from {name}" for name in names)
    assert kubectl.run("exec", "deployment/twins", "--", "hostname").stdout.strip() in names
    refused = kubectl.run("logs", "-l", "app=twins", "-c", "nope", "--ignore-errors", check=False)
    assert "container nope is not valid" in refused.stderr


@pytest.mark.covers("kubectl", "exec -c", "exec --quiet", "exec (exit codes)")
def test_exec(two: Kubectl) -> None:
    def exits(*arguments: str) -> tuple[int, str]:
        done = two.run("exec", "two", "--quiet", *arguments, check=False)
        return done.returncode, done.stderr

    assert two.run("exec", "two", "-c", "b", "--", "printenv", "HOSTNAME").stdout == "two\n"
    assert two.run("exec", "pod/two", "-q", "--", "sh", "-c", "read x; echo end").stdout == "end\n"
    assert exits("--", "sh", "-c", "exit 42") == (42, "command terminated with exit code 42\n")
    assert exits("--", "sh", "-c", "kill -9 $$")[0] == 137
    assert exits("--", "sh", "-c", "no-such-program")[0] == 127
    for command, why in (
        ("nope", "executable file not found in $PATH"),
        ("/etc/passwd", "permission denied"),
    ):
        code, error = exits("--", command)
        assert code == 1
        runtime = f'unable to start container process: exec: "{command}": {why}'
        assert re.search(
            rf'failed to start exec "\w{{64}}": OCI runtime exec failed: .*{re.escape(runtime)}', error
        )
    ended = two.run("exec", "over", "--", "true", check=False)
    assert "cannot exec into a container in a completed pod; current phase is Failed" in ended.stderr


@pytest.mark.covers("kubectl", "cp", "cp -c", "cp (a directory)", "cp --retries", "cp (over SPDY)")
@pytest.mark.parametrize("transport", ["websocket", "spdy"])
def test_cp(two: Kubectl, transport: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "run").write_text("#!/bin/sh\necho ran\n")
    (tree / "inner" / "run").chmod(0o750)
    (tree / "data").write_bytes(os.urandom(2 << 20))
    two.run("cp", str(tree), "two:/tmp/tree", "-c", "b")
    assert two.run("exec", "two", "-c", "b", "--", "/tmp/tree/inner/run").stdout == "ran\n"
    two.run("cp", "two:/tmp/tree", str(tmp_path / "back"), "-c", "b", "--retries=3")
    assert (tmp_path / "back" / "data").read_bytes() == (tree / "data").read_bytes()
    two.run("cp", str(tree / "data"), "two:/tmp/alone", "-c", "a")
    size = two.run("exec", "two", "-c", "a", "--", "stat", "-c", "%s", "/tmp/alone").stdout
    assert size == f"{2 << 20}\n"
    failed = two.run("cp", str(tree / "data"), "two:/no/such/place", "-c", "a", check=False)
    assert failed.returncode
    assert "No such file or directory" in failed.stderr


class Forward:
    """A kubectl that forwards, and what it has said."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process, self._output = process, output

    def says(self, text: str) -> str:
        return labs.wait_until(
            lambda: self._output.read_text() if text in self._output.read_text() else "", what=text
        )

    def ports(self, count: int) -> list[int]:
        def found() -> list[int]:
            listed = re.findall(r"127\.0\.0\.1:(\d+) ->", self._output.read_text())
            return [int(port) for port in listed] if len(listed) == count else []

        return labs.wait_until(found, what=f"{count} ports")


@contextlib.contextmanager
def forward(kubectl: Kubectl, directory: Path, *arguments: str) -> Iterator[Forward]:
    output = directory / "forwarding"
    with output.open("w") as file:
        process = subprocess.Popen(
            [kubectl.binary, "port-forward", *arguments],
            env=kubectl.environment | {"KUBECTL_PORT_FORWARD_WEBSOCKETS": kubectl.websockets},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            text=True,
        )
    try:
        yield Forward(process, output)
    finally:
        process.kill()
        process.wait()


def status(port: int, host: str = "127.0.0.1") -> int:
    """The status of a page, 0 for a connection that gives none."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/get", timeout=20) as answer:
            return int(answer.status)
    except (urllib.error.URLError, ConnectionError):
        return 0


@pytest.mark.covers(
    "kubectl", "port-forward --address", "port-forward (several ports)", "port-forward (until the pod goes)"
)
@pytest.mark.parametrize("transport", ["websocket", "spdy"])
def test_port_forward(kubectl: Kubectl, transport: str, tmp_path: Path) -> None:
    kubectl.run("apply", "-f", "-", stdin=WEB)
    kubectl.run("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    with forward(kubectl, tmp_path, "pod/web", ":80", ":81") as forwarding:
        first, second = forwarding.ports(2)
        assert [status(first) for _ in range(3)] == [200] * 3
        assert status(second) == 0
        said = forwarding.says("lost connection to pod")
        assert "error forwarding port 81 to pod: dial tcp4 127.0.0.1:81: connect: connection refused" in said
    with forward(kubectl, tmp_path, "svc/web", ":8000", "--address", "127.0.0.1,127.0.0.2") as forwarding:
        forwarding.says("127.0.0.2:")
        (port,) = forwarding.ports(1)
        assert status(port) == 200
        kubectl.run("delete", "pod", "web", "--now")
        assert status(port) == 0
        forwarding.says("lost connection to pod")
        assert forwarding.process.wait(20) == 1


@pytest.mark.covers("kubectl", "proxy (streams)")
def test_a_watch_through_the_proxy(two: Kubectl, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [two.binary, "proxy", "--port=0"], env=two.environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline().rpartition(":")[2])
        namespace = two.run("config", "view", "--minify", "-o", "jsonpath={..namespace}").stdout
        path = f"/api/v1/namespaces/{namespace}/pods/two/log?container=a&follow=true"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            assert [answer.readline() for _ in WORDS] == [f"{word}\n".encode() for word in WORDS]
    finally:
        process.kill()
        process.communicate()

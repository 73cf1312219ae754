"""`kubectl debug`: a container that joins a pod, a copy of a pod, and a look at the node; pods really run here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients.test_kubectl_terminals import IMAGE, Kubectl, kubectl
from tests.lab import labs

__all__ = ["kubectl"]
LOOK = "tr '\\0' ' ' < /proc/1/cmdline; echo; cat /proc/1/root/tmp/secret; hostname -I"


def of_pod(kubectl: Kubectl, name: str) -> Any:
    return json.loads(kubectl.run("get", "pod", name, "-o", "json").stdout)


def ended(kubectl: Kubectl, name: str, container: str) -> Callable[[], Any]:
    def look() -> Any:
        statuses = of_pod(kubectl, name)["status"].get("ephemeralContainerStatuses", [])
        return next((one["state"].get("terminated") for one in statuses if one["name"] == container), None)

    return look


@pytest.fixture
def web(kubectl: Kubectl) -> str:
    """A pod whose first process has a file that only it sees."""
    script = "echo hidden > /tmp/secret; sleep 1000"
    kubectl.run("run", "web", IMAGE, "--command", "--", "sh", "-c", script)
    kubectl.run("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return "web"


@pytest.mark.covers("kubectl", "debug -it --target")
def test_a_shell_beside_a_container_sees_its_processes(kubectl: Kubectl, web: str) -> None:
    arguments = ("debug", "-it", web, IMAGE, "--target=web", "-c", "look", "--profile=general", "--", "sh")
    with kubectl.at_terminal(*arguments) as terminal:
        terminal.until("try pressing enter.")
        terminal.type("\n")
        terminal.until("# ")
        terminal.type(f"{LOOK}; exit 4\n")
        shown = terminal.until("hidden\r\n")
        assert "sh -c echo hidden" in shown
        terminal.until(of_pod(kubectl, web)["status"]["podIP"])
        terminal.end()
    assert labs.wait_until(ended(kubectl, web, "look"))["exitCode"] == 4
    assert "hidden" in kubectl.run("logs", web, "-c", "look").stdout
    pod = of_pod(kubectl, web)
    assert pod["status"]["phase"] == "Running"
    assert [one["restartCount"] for one in pod["status"]["ephemeralContainerStatuses"]] == [0]


@pytest.mark.covers("kubectl", "debug")
def test_a_container_of_its_own_in_the_pods_network(kubectl: Kubectl, web: str) -> None:
    kubectl.run("debug", web, IMAGE, "-c", "alone", "--", "sh", "-c", f"{LOOK}; exit 0")
    assert labs.wait_until(ended(kubectl, web, "alone"))["exitCode"] == 0
    log = kubectl.run("logs", web, "-c", "alone").stdout
    assert "echo hidden" not in log
    assert of_pod(kubectl, web)["status"]["podIP"] in log
    described = kubectl.run("describe", "pod", web).stdout
    assert "Ephemeral Containers:\n  alone:" in described
    refused = kubectl.run("debug", web, IMAGE, "--target=nope", "--", "true", check=False)
    assert "targetContainerName" in refused.stderr


@pytest.mark.covers("kubectl", "debug --copy-to")
def test_a_copy_with_another_command_shares_processes(kubectl: Kubectl, web: str) -> None:
    kubectl.run(
        *("debug", web, "--copy-to=copy", IMAGE, "-c", "look", "--share-processes", "--"),
        *("sh", "-c", "until grep -l 'sleep.1000' /proc/[0-9]*/cmdline; do sleep 0.1; done; sleep 1000"),
    )
    kubectl.run("wait", "--for=condition=Ready", "pod/copy", "--timeout=60s")
    labs.wait_until(lambda: "/cmdline" in kubectl.run("logs", "copy", "-c", "look").stdout)
    assert of_pod(kubectl, "copy")["spec"]["shareProcessNamespace"] is True
    first = kubectl.run("exec", "copy", "-c", "look", "--", "readlink", "/proc/self/ns/pid").stdout
    assert kubectl.run("exec", "copy", "-c", "web", "--", "readlink", "/proc/self/ns/pid").stdout == first
    kubectl.run("delete", "pod", "copy", "--grace-period=1")


@pytest.mark.covers("kubectl", "debug node/")
def test_a_pod_on_the_node(kubectl: Kubectl) -> None:
    arguments = ("debug", "node/bookmesh", IMAGE, "--", "sh", "-c", "ls -d /host/usr")
    kubectl.run(*arguments)
    pods = json.loads(kubectl.run("get", "pods", "-o", "json").stdout)["items"]
    (name,) = [pod["metadata"]["name"] for pod in pods]
    labs.wait_until(lambda: of_pod(kubectl, name)["status"]["phase"] == "Succeeded")
    assert kubectl.run("logs", name).stdout == "/host/usr\n"

"""Bookmesh's own images in a cluster: the gate of the charts, and a job that uses the command."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml
from tests.images import conftest
from tests.lab import labs

pytestmark = [pytest.mark.slow, pytest.mark.lab, pytest.mark.timeout(1200)]

CHARTS = conftest.ROOT / "charts"
NAMESPACE = "gated"
MARKER = "/opt/bookmesh/sbom.cdx.json"
HASH = f"import hashlib; print(hashlib.sha256(open('{MARKER}', 'rb').read()).hexdigest())"


@pytest.fixture(scope="module")
def lab(new_lab: Callable[[], labs.Lab], built: conftest.Built, again: dict[str, Path]) -> labs.Lab:
    """A cluster without a mesh, with both images: the gate's from an archive for several machines."""
    lab = new_lab()
    for archive in (again["bookmesh-gate"], built.archives["bookmesh"]):
        labs.run([labs.BOOKMESH, "image", "load", "--name", lab.name, str(archive)], env=lab.env)
    labs.run([labs.BOOKMESH, "kube", "up", "--name", lab.name], env=lab.env)
    lab.kubectl("create", "namespace", NAMESPACE)
    return lab


@pytest.fixture
def helm(lab: labs.Lab) -> Iterator[helm_python.Config]:
    kubeconfig = lab.bookmesh("kubeconfig").stdout
    with helm_python.Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE) as config:
        yield config


def gate(timeout_s: int) -> dict[str, Any]:
    return {"gate": {"enabled": True, "timeoutSeconds": timeout_s}, "guards": {"enabled": False}}


def reviews(contract: str) -> dict[str, Any]:
    return {"versions": {"v1": {"provides": {"reviews-api": contract}}, "v2": None, "v3": None}}


def page(**more: Any) -> dict[str, Any]:
    return {"requires": [{"release": "reviews", "contract": "reviews-api", "range": ">=2"}]} | more


def deployments(lab: labs.Lab) -> list[str]:
    return [one["metadata"]["name"] for one in lab.get("deployments", "-n", NAMESPACE)["items"]]


def test_the_gate_holds_an_installation_until_what_it_requires_is_served(
    lab: labs.Lab, helm: helm_python.Config, built: conftest.Built
) -> None:
    helm.install(CHARTS / "reviews", "reviews", reviews("1") | gate(60), wait="watcher", timeout=60)
    with concurrent.futures.ThreadPoolExecutor() as threads:
        kubeconfig = lab.bookmesh("kubeconfig").stdout
        with helm_python.Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE) as other:
            installing = threads.submit(
                other.install, CHARTS / "productpage", "productpage", page() | gate(120), timeout=120
            )
            try:
                _check_that_it_holds(lab, built)
                assert not installing.done()
                helm.upgrade(
                    CHARTS / "reviews", "reviews", reviews("2") | gate(60), wait="watcher", timeout=60
                )
            except BaseException:
                lab.kubectl("delete", "job", "productpage-gate", "-n", NAMESPACE, "--ignore-not-found")
                raise
            installing.result(timeout=120)
    assert deployments(lab) == ["productpage-v1", "reviews-v1"]


def _check_that_it_holds(lab: labs.Lab, built: conftest.Built) -> None:
    """The gate says what it waits for; it runs from the files of the image, and nothing was installed yet."""

    def says() -> str:
        asked = lab.kubectl("logs", "job/productpage-gate", "-n", NAMESPACE, check=False)
        return asked.stdout if "serves reviews-api 1, not >=2" in asked.stdout else ""

    labs.wait_until(says, within_s=60, what="the gate says what it waits for")
    assert deployments(lab) == ["reviews-v1"]
    (pod,) = lab.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=productpage-gate")["items"]
    (status,) = pod["status"]["containerStatuses"]
    assert "docker.io/bookmesh/bookmesh-gate@sha256:" in status["imageID"]
    assert not Path(MARKER).exists(), "this machine has no such file"
    inside = ("exec", pod["metadata"]["name"], "-n", NAMESPACE, "--", "python3", "-c")
    expected = hashlib.sha256(built.read("bookmesh-gate", MARKER)).hexdigest()
    assert lab.kubectl(*inside, HASH).stdout.strip() == expected
    refused = "try: open('/new', 'w')\nexcept OSError as error: print(error.strerror)"
    assert lab.kubectl(*inside, refused).stdout.strip() == "Read-only file system"


def test_the_gate_refuses_what_callers_could_not_live_with(lab: labs.Lab, helm: helm_python.Config) -> None:
    helm.upgrade(CHARTS / "reviews", "reviews", reviews("2"), wait="watcher", timeout=60)
    with pytest.raises(helm_python.HelmError, match=r"reviews-gate not ready|pre-upgrade"):
        helm.upgrade(CHARTS / "reviews", "reviews", reviews("1") | gate(5), timeout=60)
    assert "BM0604" in lab.kubectl("logs", "job/reviews-gate", "-n", NAMESPACE).stdout


def job_pod(kubeconfig: str) -> str:
    """A pod as a CI job: an ordinary, restricted one, with a kubeconfig out of a Secret."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cluster"}}
    container = {
        "name": "job",
        "image": f"bookmesh/bookmesh:{conftest.VERSION}",
        "command": ["python3", "-c", "import time; time.sleep(600)"],
        "env": [{"name": "KUBECONFIG", "value": "/cluster/config"}],
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "cluster", "mountPath": "/cluster"}],
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "cluster", "secret": {"secretName": "cluster"}},
        ],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "job"}, "spec": spec}
    return yaml.safe_dump_all([secret | {"stringData": {"config": kubeconfig}}, pod])


@pytest.fixture(scope="module")
def job(lab: labs.Lab) -> Callable[..., str]:
    """Runs `bookmesh …` in a pod."""
    config = yaml.safe_load(lab.bookmesh("kubeconfig").stdout)
    config["clusters"][0]["cluster"]["server"] = "https://kubernetes.default.svc"
    config["contexts"][0]["name"] = config["current-context"] = "here"
    lab.apply(job_pod(yaml.safe_dump(config)))
    lab.kubectl("wait", "--for=condition=Ready", "pod/job", "--timeout=60s")

    def run(*arguments: str) -> str:
        return lab.kubectl("exec", "job", "--", "python3", "/opt/bookmesh", *arguments).stdout

    return run


def test_a_job_asks_about_releases_with_helm_and_kubectl_of_the_image(
    lab: labs.Lab, job: Callable[..., str]
) -> None:
    kubeconfig = lab.bookmesh("kubeconfig").stdout
    with helm_python.Config(kubeconfig_content=kubeconfig, namespace="asked") as helm:
        helm.install(
            CHARTS / "reviews", "reviews", reviews("2"), create_namespace=True, wait="watcher", timeout=60
        )
        helm.install(CHARTS / "details", "details", page(), timeout=60)
    said = job("release", "status", "--target", "here", "-n", "asked")
    assert said.startswith("ok   details requires ")


def test_a_job_has_a_kubernetes_api_of_its_own(job: Callable[..., str]) -> None:
    job("kube", "up", "--api-only")
    job("kubectl", "--name", "kube", "create", "namespace", "inside")
    found = json.loads(job("kubectl", "--name", "kube", "get", "namespace", "inside", "-o", "json"))
    assert found["status"] == {"phase": "Active"}
    assert job("kube", "down") == ""

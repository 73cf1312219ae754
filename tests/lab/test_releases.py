"""Charts and releases in a lab: the real Helm library, the real API server, real pods and routes."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml
from tests.lab import labs, test_churn

pytestmark = pytest.mark.lab

CHARTS = Path(__file__).parents[2] / "charts"
ARTICLE_IMAGE = "registry.cn-shanghai.aliyuncs.com/daydaygo/istio_bookinfo_rating"


@pytest.fixture(scope="module")
def namespace(bookinfo: labs.Lab) -> Iterator[str]:
    """A namespace with sidecars in the lab that most tests share."""
    name = "releases"
    bookinfo.kubectl("create", "namespace", name)
    bookinfo.kubectl("label", "namespace", name, "istio-injection=enabled")
    yield name
    bookinfo.kubectl("delete", "namespace", name)


@pytest.fixture
def helm(bookinfo: labs.Lab, namespace: str) -> Iterator[helm_python.Config]:
    kubeconfig = bookinfo.bookmesh("kubeconfig").stdout
    with helm_python.Config(kubeconfig_content=kubeconfig, namespace=namespace) as config:
        yield config
        for release in config.list(all_states=True):
            config.uninstall(release["name"], wait="legacy", timeout=60)


def write(path: Path, releases: list[dict[str, Any]], namespace: str) -> Path:
    for one in releases:
        one |= {"namespace": namespace, "chart": str(CHARTS / one.get("chart", one["name"]))}
    path.write_text(yaml.safe_dump({"releases": releases}))
    return path


def test_the_transcript_of_the_article(bookinfo: labs.Lab, namespace: str, helm: helm_python.Config) -> None:
    """helm install rating ./charts/ratings; get pod; port-forward; curl answers `rating`."""
    values = {
        "name": "rating",
        "service": {"port": 80},
        "pod": {"port": 80, "image": {"repository": ARTICLE_IMAGE}},
    }
    done = helm.install(CHARTS / "ratings", "rating", values, wait="watcher", timeout=60)
    assert done["status"] == "deployed"
    pod = bookinfo.pod("app=rating", namespace)
    with bookinfo.forward(f"pod/{pod}", 80, namespace=namespace) as port:
        assert labs.request(f"http://127.0.0.1:{port}/").text == "rating"
    assert helm.test("rating", timeout=60)
    assert "rating" in [one["name"] for one in helm.list()]


REVIEWS = {"versions": {"v2": None, "v3": None}, "routing": {"kind": "VirtualService"}}


def reviews(contract: str, version: str) -> dict[str, Any]:
    track = {
        "provides": {"reviews-api": contract},
        "env": {"SERVICE_VERSION": version},
        "replicas": 3,
        "disruptionBudget": None,
    }
    return {"name": "reviews", "values": {**REVIEWS, "versions": {**REVIEWS["versions"], "v1": track}}}


def productpage(needs: str) -> dict[str, Any]:
    requires = [{"release": "reviews", "contract": "reviews-api", "range": needs}]
    return {"name": "productpage", "values": {"requires": requires, "pod": {"annotations": {"needs": needs}}}}


def test_a_caller_is_upgraded_when_what_it_calls_is_served(
    bookinfo: labs.Lab, namespace: str, helm: helm_python.Config, tmp_path: Path
) -> None:
    file = write(tmp_path / "releases.yaml", [productpage(">=1"), reviews("1", "v1")], namespace)
    first = bookinfo.release("apply", str(file))
    assert "reviews                  served" in first.stdout

    again = bookinfo.release("apply", str(file))
    assert again.stdout.count("unchanged") == 2

    write(file, [productpage(">=2"), reviews("2", "v3")], namespace)
    seen: list[tuple[set[str], str]] = []
    stop = threading.Event()

    def watch() -> None:
        # By itself: kubectl may take longer to start than a state lasts.
        api = test_churn.Api(bookinfo)
        while not stop.wait(0.05):
            pods = api.call("GET", f"/api/v1/namespaces/{namespace}/pods")[1]["items"]
            served = {
                json.loads(pod["metadata"]["annotations"]["bookmesh.dev/provides"])["reviews-api"]
                for pod in pods
                if pod["metadata"]["labels"]["app"] == "reviews"
                and not pod["metadata"].get("deletionTimestamp")
            }
            needs = {
                pod["metadata"]["annotations"]["needs"]
                for pod in pods
                if pod["metadata"]["labels"]["app"] == "productpage"
            }
            seen.extend((served, need) for need in needs)
        api.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    second = bookinfo.release("apply", str(file))
    stop.set()
    watcher.join()
    assert "productpage              served" in second.stdout
    assert "old ones are left" in second.stderr, "nobody saw it wait"
    assert ({"1", "2"}, ">=1") in seen, "the mixed state was not looked at"
    assert not [served for served, need in seen if need == ">=2" and "1" in served]

    status = bookinfo.release("status", "-n", namespace)
    assert status.stdout.startswith("ok   productpage requires reviews-api >=2 of reviews")

    refused = bookinfo.release("rollback", "reviews", "1", "-n", namespace, check=False)
    assert refused.returncode == 1
    assert "BM0604" in refused.stderr
    refused = bookinfo.release("uninstall", "reviews", "-n", namespace, check=False)
    assert refused.returncode == 1
    assert "BM0605" in refused.stderr
    gone = bookinfo.release("uninstall", "reviews", "productpage", "-n", namespace)
    assert gone.stdout.splitlines() == ["productpage is gone", "reviews is gone"]
    assert helm.list(all_states=True) == []


def test_a_wave_that_fails_is_undone(
    bookinfo: labs.Lab, namespace: str, helm: helm_python.Config, tmp_path: Path
) -> None:
    file = write(tmp_path / "releases.yaml", [productpage(">=1"), reviews("1", "v1")], namespace)
    bookinfo.release("apply", str(file))
    broken = productpage(">=2")
    broken["values"]["pod"]["image"] = {"repository": "example.com/not-known"}
    write(file, [broken, reviews("2", "v3")], namespace)
    failed = bookinfo.release("apply", str(file), "--timeout", "25", check=False)
    assert failed.returncode == 1
    assert Counter(line.split()[1] for line in failed.stdout.splitlines()) == {"undone": 2}
    served = labs.wait_until(
        lambda: settled(bookinfo, namespace) or None, what="the pods of the first revision are back"
    )
    assert served == {"1"}


def settled(lab: labs.Lab, namespace: str) -> set[str]:
    """Contracts of the pods of reviews once no Deployment is in the middle of anything."""
    done = lab.kubectl(
        "rollout", "status", "deployment/reviews-v1", "-n", namespace, "--timeout=1s", check=False
    )
    pods = lab.get("pods", "-n", namespace, "-l", "app=reviews")["items"]
    if done.returncode or any(pod["metadata"].get("deletionTimestamp") for pod in pods):
        return set()
    return {
        json.loads(pod["metadata"]["annotations"]["bookmesh.dev/provides"])["reviews-api"] for pod in pods
    }


def test_what_helm_refuses_is_told_in_its_words(bookinfo: labs.Lab, namespace: str, tmp_path: Path) -> None:
    nothing = {"name": "ratings", "values": {"versions": {"v1": {"enabled": False}}}}
    file = write(tmp_path / "releases.yaml", [nothing], namespace)
    refused = bookinfo.release("plan", str(file), check=False)
    assert refused.returncode == 1
    assert "BM0606" in refused.stderr
    assert "ratings has no version" in refused.stderr


def test_somebody_else_is_respected(
    bookinfo: labs.Lab, namespace: str, helm: helm_python.Config, tmp_path: Path
) -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "bookmesh-releases", "namespace": namespace},
        "spec": {
            "holderIdentity": "ann",
            "leaseDurationSeconds": 30,
            "renewTime": "2999-01-01T00:00:00.000000Z",
        },
    }
    bookinfo.apply(json.dumps(lease))
    file = write(tmp_path / "releases.yaml", [reviews("1", "v1")], namespace)
    refused: subprocess.CompletedProcess[str] = bookinfo.release("apply", str(file), check=False)
    bookinfo.kubectl("delete", "lease", "bookmesh-releases", "-n", namespace)
    assert refused.returncode == 1
    assert "BM0607" in refused.stderr
    assert "holder: ann" in refused.stderr
    assert helm.list(all_states=True) == []

"""`env`, `kubeconfig`, `status`, `logs` and `doctor` as people use them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.lab import labs

pytestmark = pytest.mark.lab


def test_env_makes_kubectl_use_the_lab(bookinfo: labs.Lab) -> None:
    script = f'eval "$({labs.BOOKMESH} env --name {bookinfo.name})" && kubectl get pods -o name && bookmesh --version'
    shell = labs.run(["sh", "-c", script], env=bookinfo.env | {"PATH": "/usr/bin:/bin"})
    assert "pod/productpage-v1-" in shell.stdout
    assert "bookmesh, version" in shell.stdout


def test_get_pods_shows_two_of_two_running(bookinfo: labs.Lab) -> None:
    table = bookinfo.kubectl("get", "pods", "-l", "app in (details,ratings,reviews,productpage)").stdout
    head, *rows = (line.split() for line in table.splitlines())
    assert head == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [row[1:4] for row in rows] == [["2/2", "Running", "0"]] * 6


def test_merge_keeps_the_current_context(bookinfo: labs.Lab, tmp_path: Path) -> None:
    own = tmp_path / "config"
    own.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "work",
                "clusters": [{"name": "work", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "work", "user": {}}],
                "contexts": [{"name": "work", "context": {"cluster": "work", "user": "work"}}],
            }
        )
    )
    merged = bookinfo.bookmesh("kubeconfig", "--merge", "--into", str(own))
    assert "your current context stays" in merged.stderr
    config = yaml.safe_load(own.read_text())
    assert config["current-context"] == "work"
    assert [context["name"] for context in config["contexts"]] == ["work", f"bookmesh-{bookinfo.name}"]
    assert own.stat().st_mode & 0o777 == 0o600
    pods = subprocess.run(
        [
            "kubectl",
            "--kubeconfig",
            own,
            "--context",
            f"bookmesh-{bookinfo.name}",
            "get",
            "pods",
            "-o",
            "name",
        ],
        capture_output=True,
        text=True,
        check=True,
        env=bookinfo.env | {"PATH": f"{labs.BOOKMESH.parent}:/usr/bin:/bin"},
    )
    assert "pod/productpage-v1-" in pods.stdout


def test_status_names_every_pod_and_its_proxy(bookinfo: labs.Lab) -> None:
    def proxies() -> list[str]:
        pods = bookinfo.status()["pods"]
        return [pod["proxy"] for pod in pods if pod["namespace"] == "default" and pod["ready"] == "2/2"]

    labs.wait_until(lambda: set(proxies()) == {"synced"}, what="what other tests changed has arrived")
    assert len(proxies()) >= 6


def test_logs_are_the_labs_own(bookinfo: labs.Lab) -> None:
    assert bookinfo.bookmesh("logs").stdout


def test_doctor_finds_nothing_wrong_here(bookinfo: labs.Lab) -> None:
    doctor = labs.run([labs.BOOKMESH, "doctor", "-o", "json"], env=bookinfo.env)
    report = json.loads(doctor.stdout)
    assert report["findings"] == []
    assert Path(report["facts"]["envoy"]).exists()

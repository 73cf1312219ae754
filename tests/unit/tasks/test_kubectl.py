from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.tasks.kubectl import ClusterError, Kubectl


def program(folder: Path, script: str) -> Path:
    file = folder / "kubectl"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_a_command_has_its_context_environment_and_input(tmp_path: Path) -> None:
    kubectl = Kubectl(program(tmp_path, 'echo "$@ $KUBECONFIG"; cat'), {"KUBECONFIG": "/k"}, "there")
    done = kubectl.run("get", "pods", stdin="hello")
    assert (done.exit, done.stdout) == (0, "--context there get pods /k\nhello")


def test_a_command_that_must_not_fail_tells_why_it_did(tmp_path: Path) -> None:
    kubectl = Kubectl(program(tmp_path, "echo refused >&2; exit 3"))
    assert kubectl.run("get").exit == 3
    assert kubectl.run("get").output == "refused"
    with pytest.raises(ClusterError, match="kubectl get: refused"):
        kubectl.must("get")


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    done = Kubectl(program(tmp_path, "exec sleep 100")).run("get", timeout_s=0.05)
    assert (done.exit, "not done within 0.05 s" in done.stderr) == (124, True)


def test_forwarding_gives_the_port_and_ends(tmp_path: Path) -> None:
    kubectl = Kubectl(program(tmp_path, 'echo "Forwarding from 127.0.0.1:4242 -> 15000"; exec sleep 100'))
    with kubectl.forwarding("deploy/x", 15000, namespace="n") as port:
        assert port == 4242


def test_forwarding_that_fails_tells_why(tmp_path: Path) -> None:
    kubectl = Kubectl(program(tmp_path, "echo pod not found >&2; exit 1"))
    with pytest.raises(ClusterError, match="pod not found"), kubectl.forwarding("deploy/x", 1, namespace="n"):
        pass

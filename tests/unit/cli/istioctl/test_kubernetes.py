from __future__ import annotations

import signal
from pathlib import Path

import click
import pytest

from bookmesh.cli.istioctl import kubernetes
from bookmesh.lab import client


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> kubernetes.Kubectl:
    """A kubectl that prints its arguments and what it was given, and fails when asked for `bad`."""
    program = tmp_path / "kubectl"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *bad*) echo "no such thing" >&2; exit 1;; *" none "*) exit 0;; esac\n'
        'printf \'{"arguments": "%s", "given": "%s", "config": "%s"}\' "$*" "$(cat)" "$KUBECONFIG"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(client, "find_kubectl", lambda: program)
    return kubernetes.Kubectl({"KUBECONFIG": "/k"}, ("--context", "c"))


def test_flags_come_first_and_the_environment_is_ours(kubectl: kubernetes.Kubectl) -> None:
    assert kubectl.json("get", "pods") == {"arguments": "--context c get pods", "given": "", "config": "/k"}
    assert '"given": "text"' in kubectl.run("apply", stdin="text")


def test_what_fails_ends_with_kubectls_words(kubectl: kubernetes.Kubectl) -> None:
    with pytest.raises(click.ClickException, match="no such thing"):
        kubectl.run("bad")
    with pytest.raises(click.ClickException, match="must be a running lab"):
        kubectl.ask_lab("/bad")


def test_an_object_that_is_not_there_is_none(kubectl: kubernetes.Kubectl) -> None:
    assert kubectl.find("none", "x") is None
    assert kubectl.find("pod", "x") is not None


def test_envoy_is_asked_from_inside_its_container(kubectl: kubernetes.Kubectl) -> None:
    answer = kubectl.ask_envoy("a", "foo", "stats")
    assert "exec -n foo a -c istio-proxy -- pilot-agent request GET stats" in answer


def test_a_command_that_stays_ends_when_we_are_told_to(kubectl: kubernetes.Kubectl, tmp_path: Path) -> None:
    """The child tells its parent, which is us, to end."""
    assert kubectl.stay("bad") == 1
    (tmp_path / "kubectl").write_text("#!/bin/sh\nkill -TERM $PPID\nexec sleep 30\n")
    before = signal.getsignal(signal.SIGTERM)
    assert kubectl.stay("port-forward") == 0
    assert signal.getsignal(signal.SIGTERM) is before

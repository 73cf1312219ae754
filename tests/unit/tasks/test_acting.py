from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from tests.unit.tasks import sample
from tests.unit.tasks.fake_kubectl import FakeKubectl, said

from bookmesh.tasks import acting, ingress, probing
from bookmesh.tasks import format as formats


def act(
    kubectl: FakeKubectl, directory: Path, *, elsewhere: list[Any] | None = None, **action: Any
) -> acting.Acted:
    document = sample.document(steps=[{"name": "s", **action}], elsewhere=elsewhere or [])
    task = msgspec.convert(document, formats.Task)
    prober = probing.Prober(kubectl, "n", directory, ingress.Gateway(kubectl))
    return acting.Actor(task, prober, frozenset({"ClusterRole"})).act(task.steps[0])


def test_apply_sends_the_text_as_written_and_waits_for_pods(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# why\nkind: Deployment\nmetadata: {name: web}\n")
    kubectl = FakeKubectl()
    acted = act(kubectl, tmp_path, apply=["a.yaml"])
    assert acted.error == ""
    assert acted.detail.startswith("# why")
    assert kubectl.commands[0] == ("apply", "-n", "n", "-f", "-")
    assert kubectl.commands[1][:5] == ("rollout", "status", "-n", "n", "deployment/web")


def test_a_rollout_that_does_not_end_shows_the_pods(tmp_path: Path) -> None:
    kubectl = FakeKubectl(
        lambda arguments, _stdin: {"rollout": said("", 1), "get": said("web-1 ErrImagePull")}.get(
            arguments[0]
        )
    )
    document = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    acted = act(kubectl, tmp_path, apply=[document])
    assert acted.error.startswith("not rolled out within 60 s: deployment/web")
    assert "ErrImagePull" in acted.error


def test_declared_objects_are_applied_where_they_belong(tmp_path: Path) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}}
    kubectl = FakeKubectl()
    acted = act(
        kubectl, tmp_path, apply=[sample.CONFIG_MAP, role], elsewhere=[{"kind": "ClusterRole", "name": "r"}]
    )
    assert acted.error == ""
    assert kubectl.commands[0][:3] == ("apply", "-n", "n")


def test_delete_takes_names_and_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: A\nmetadata: {name: a}\n")
    kubectl = FakeKubectl()
    assert act(kubectl, tmp_path, delete=["virtualservice/x", "a.yaml"]).error == ""
    assert kubectl.commands == [
        ("delete", "-n", "n", "virtualservice/x"),
        ("delete", "-n", "n", "-f", "-"),
    ]


def test_exec_and_wait_fail_with_what_they_said(tmp_path: Path) -> None:
    kubectl = FakeKubectl(lambda _arguments, _stdin: said("", 7, "no such thing"))
    assert (
        act(kubectl, tmp_path, exec={"of": "pod/x", "command": ["a"]}).error == "exit code 7: no such thing"
    )
    acted = act(kubectl, tmp_path, wait={"for": "condition=Ready", "of": ["pod/x"]}, within="3s")
    assert acted.error == "no such thing"
    assert kubectl.commands[-1] == ("wait", "--for=condition=Ready", "pod/x", "-n", "n", "--timeout=3s")


def test_a_request_step_counts_what_came_back(tmp_path: Path) -> None:
    def answer(_arguments: tuple[str, ...], stdin: str) -> Any:
        mark = stdin.partition("write-out")[2].split("\\n")[1].split(" ")[0]
        return said(f"HTTP/1.1 200 OK\r\n\r\n\n{mark} 200 0.1 0 \n" * 2)

    acted = act(FakeKubectl(answer), tmp_path, request={"from": "curl", "url": "http://x", "n": 2})
    assert (acted.error, acted.output) == ("", "200 x 2")


def test_kinds_without_a_namespace_are_asked_for() -> None:
    kubectl = FakeKubectl(
        lambda _a, _s: said("namespaces   ns   v1   false   Namespace\nnodes   v1   false   Node\n")
    )
    assert acting.cluster_wide_kinds(kubectl) == {"Namespace", "Node"}


def test_a_secret_is_signed_by_the_runs_authority_and_the_key_is_not_in_the_report(tmp_path: Path) -> None:
    sent: list[str] = []
    kubectl = FakeKubectl(lambda _arguments, stdin: sent.append(stdin))
    acted = act(kubectl, tmp_path, secret={"name": "s", "hosts": ["a.example"]})
    assert (acted.error, acted.detail) == ("", "Secret s for a.example by ca")
    assert "BEGIN PRIVATE KEY" in sent[0]
    assert "PRIVATE KEY" not in acted.detail + acted.output


def test_a_secret_elsewhere_must_be_declared(tmp_path: Path) -> None:
    acted = act(FakeKubectl(), tmp_path, secret={"name": "s", "hosts": ["a"], "namespace": "istio-system"})
    assert acted.strays == ("Secret istio-system/s",)

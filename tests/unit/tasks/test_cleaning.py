from __future__ import annotations

from tests.unit.tasks.fake_kubectl import FakeKubectl, said

from bookmesh.tasks import cleaning
from bookmesh.tasks import format as formats

SECRET = formats.Elsewhere(kind="Secret", name="s", namespace="istio-system")


def test_nothing_is_left_of_what_could_be_deleted() -> None:
    kubectl = FakeKubectl()
    assert cleaning.clean(kubectl, "n", [SECRET]) == []
    deleted = [command[1:5] for command in kubectl.commands if command[0] == "delete"]
    assert deleted == [
        ("Secret", "s", "-n", "istio-system"),
        ("namespace", "n", "--ignore-not-found", "--timeout=60s"),
    ]


def test_what_is_still_there_is_told() -> None:
    kubectl = FakeKubectl(
        lambda arguments, _stdin: said(f"{arguments[1]}/x") if arguments[0] == "get" else None
    )
    assert cleaning.clean(kubectl, "n", [SECRET]) == ["Secret istio-system/s", "namespace n (namespace/x)"]


def test_a_cluster_that_does_not_answer_is_not_taken_for_clean() -> None:
    kubectl = FakeKubectl(lambda _arguments, _stdin: said("", 1, "connection refused"))
    assert cleaning.clean(kubectl, "n", []) == ["namespace n (connection refused)"]

from __future__ import annotations

import click
import pytest
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import targets


@pytest.mark.parametrize(
    ("text", "kind", "name", "namespace"),
    [
        ("a-1", "pod", "a-1", "default"),
        ("a-1.foo", "pod", "a-1", "foo"),
        ("deploy/a", "deploy", "a", "default"),
        ("deploy/a.foo", "deploy", "a", "foo"),
    ],
)
def test_targets_are_taken_apart(text: str, kind: str, name: str, namespace: str) -> None:
    assert targets.parse(text, "default") == (kind, targets.Pod(name, namespace))


def test_a_workload_is_its_first_running_pod() -> None:
    pods = {
        "items": [
            {"metadata": {"name": "a-1"}, "status": {"phase": "Pending"}},
            {"metadata": {"name": "a-2"}, "status": {"phase": "Running"}},
        ]
    }
    answers = {
        "get deploy/a": {"kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "a"}}}},
        "get pods -n foo -l app=a": pods,
    }
    kubectl = small_dumps.FakeKubectl(answers)
    assert targets.resolve(kubectl, "deploy/a", "foo") == targets.Pod("a-2", "foo")
    assert targets.resolve_all(kubectl, "log", "deploy/a", "", "foo") == [targets.Pod("a-2", "foo")]
    assert targets.resolve_all(kubectl, "log", None, "app=a", "foo") == [targets.Pod("a-2", "foo")]
    for target, selector in ((None, ""), ("a", "app=a")):
        with pytest.raises(click.ClickException, match="log requires pod name or --selector"):
            targets.resolve_all(kubectl, "log", target, selector, "foo")
    pods["items"].pop()
    with pytest.raises(click.ClickException, match="no pods found for deploy/a"):
        targets.resolve(kubectl, "deploy/a", "foo")

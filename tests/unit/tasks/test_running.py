from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from tests.unit.tasks import sample
from tests.unit.tasks.fake_kubectl import FakeKubectl, said

from bookmesh.tasks import running
from bookmesh.tasks.records import Result


def run(tmp_path: Path, kubectl: FakeKubectl, **changes: Any) -> Result:
    cluster = running.Cluster(kubectl, frozenset({"Namespace", "ClusterRole"}))
    return running.TaskRun(sample.load(tmp_path, **changes), cluster, since=0.0).run()


def light(*, always: bool = False, never: bool = False) -> FakeKubectl:
    """A cluster where the light is on as soon as the switch is there."""

    def answer(arguments: tuple[str, ...], _stdin: str) -> Any:
        if arguments[0] != "exec":
            return None
        is_on = always or (("ConfigMap", "switch") in kubectl.objects and not never)
        return said("on" if is_on else "off")

    kubectl = FakeKubectl(answer)
    return kubectl


def test_an_expectation_that_fails_before_its_step_and_holds_after_it_passes(tmp_path: Path) -> None:
    result = run(tmp_path, light())
    assert (result.outcome, result.message, result.checks) == ("passed", "", 1)
    expectation = result.steps[0].expectations[0]
    assert expectation.before is not None
    assert not expectation.before.holds
    assert expectation.after is not None
    assert expectation.after.holds


def test_an_expectation_that_is_true_before_its_step_is_broken(tmp_path: Path) -> None:
    kubectl = light(always=True)
    result = run(tmp_path, kubectl)
    assert result.outcome == "broken"
    assert "was true before the step was applied" in result.message
    assert not [command for command in kubectl.commands if command[0] == "apply"]


def test_an_expectation_that_never_holds_fails_when_its_time_is_over(tmp_path: Path) -> None:
    step = {"name": "switch it on", "apply": [sample.CONFIG_MAP], "within": "2s", "expect": [sample.LOOK]}
    result = run(tmp_path, light(never=True), steps=[step])
    assert result.outcome == "failed"
    assert 'output contains "on": got off' in result.message
    assert result.steps[0].expectations[0].attempts > 1


def test_what_the_cluster_warns_of_is_told_with_a_failure(tmp_path: Path) -> None:
    kubectl = light(never=True)
    lamp = kubectl.answer
    event = {"involvedObject": {"kind": "VirtualService", "name": "v"}, "message": "routes to nobody"}
    kubectl.answer = lambda arguments, stdin: (
        said(json.dumps({"items": [event]})) if arguments[:2] == ("get", "events") else lamp(arguments, stdin)
    )
    (finding,) = run(tmp_path, kubectl).findings
    assert finding.known.splitlines()[1:] == ["the cluster warns: VirtualService v: routes to nobody"]


def test_a_run_that_is_stopped_looks_at_nothing_more_and_cleans_up(tmp_path: Path) -> None:
    stopping = threading.Event()
    kubectl = light(never=True)
    lamp = kubectl.answer

    def answer(arguments: tuple[str, ...], stdin: str) -> Any:
        if arguments[0] == "apply":
            stopping.set()
        return lamp(arguments, stdin)

    kubectl.answer = answer
    loaded = sample.load(tmp_path)
    cluster = running.Cluster(kubectl, frozenset())
    result = running.TaskRun(loaded, cluster, since=0.0, stopping=stopping).run()
    assert (result.outcome, result.findings) == ("failed", ())
    assert [command[0] for command in kubectl.commands].count("exec") == 1  # before the step
    assert ("delete", "namespace", result.namespace) in {command[:3] for command in kubectl.commands}


def test_what_must_hold_before_too_is_shown_to(tmp_path: Path) -> None:
    kept = {**sample.LOOK, "before": "holds"}
    step = {"name": "again", "apply": [sample.CONFIG_MAP], "within": "0.1s", "expect": [kept]}
    assert run(tmp_path, light(always=True), steps=[step]).outcome == "passed"
    failed = run(tmp_path, light(), steps=[step])
    assert failed.outcome == "failed"
    assert "must hold before the step too" in failed.message


def test_what_must_hold_before_is_waited_for(tmp_path: Path) -> None:
    """What a step before brought about may come true a moment after that step."""
    looks = iter(("off", "off", *["on"] * 10))
    kubectl = FakeKubectl(lambda arguments, _stdin: said(next(looks)) if arguments[0] == "exec" else None)
    step = {"name": "again", "apply": [sample.CONFIG_MAP], "expect": [{**sample.LOOK, "before": "holds"}]}
    assert run(tmp_path, kubectl, steps=[step]).outcome == "passed"


def test_each_run_has_a_namespace_of_its_own_which_is_taken_away(tmp_path: Path) -> None:
    kubectl = light()
    first, second = run(tmp_path, kubectl), run(tmp_path, kubectl)
    assert kubectl.namespaces == [first.namespace, second.namespace]
    assert first.namespace != second.namespace
    deleted = [command[2] for command in kubectl.commands if command[:2] == ("delete", "namespace")]
    assert deleted == kubectl.namespaces


def test_the_namespace_is_taken_away_after_a_failure_too(tmp_path: Path) -> None:
    kubectl = light(never=True)
    assert run(tmp_path, kubectl).namespace in {
        command[2] for command in kubectl.commands if command[0] == "delete"
    }


def test_what_cannot_be_taken_away_is_a_failure(tmp_path: Path) -> None:
    kubectl = light()
    lamp = kubectl.answer
    kubectl.answer = lambda arguments, stdin: (
        said("namespace/x") if arguments[:2] == ("get", "namespace") else lamp(arguments, stdin)
    )
    result = run(tmp_path, kubectl)
    assert result.outcome == "failed"
    assert "left behind: namespace task-light-" in result.message


def test_an_object_outside_of_the_namespace_must_be_declared(tmp_path: Path) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}}
    step = {"name": "role", "apply": [role], "within": "0.1s", "expect": [sample.LOOK]}
    result = run(tmp_path, light(), steps=[step])
    assert "not declared in elsewhere: ClusterRole r" in result.message


def test_a_declared_object_that_is_there_already_is_not_touched(tmp_path: Path) -> None:
    def answer(arguments: tuple[str, ...], _stdin: str) -> Any:
        return said("clusterrole/r") if arguments[:2] == ("get", "ClusterRole") else None

    kubectl = FakeKubectl(answer)
    result = run(tmp_path, kubectl, elsewhere=[{"kind": "ClusterRole", "name": "r"}])
    assert result.outcome == "failed"
    assert "ClusterRole r is there already" in result.message
    assert not [command for command in kubectl.commands if command[:2] == ("delete", "ClusterRole")]


def test_what_a_run_that_fails_has_made_can_be_kept(tmp_path: Path) -> None:
    for keeps, never in ((True, True), (True, False), (False, True)):
        kubectl = light(never=never)
        cluster = running.Cluster(kubectl, frozenset())
        result = running.TaskRun(sample.load(tmp_path), cluster, since=0.0, keeps=keeps).run()
        is_deleted = ("delete", "namespace", result.namespace) in {each[:3] for each in kubectl.commands}
        assert is_deleted == (not (keeps and never))


def test_what_went_wrong_has_a_code(tmp_path: Path) -> None:
    refused = FakeKubectl(lambda arguments, _s: said("", 1, "refused") if arguments[0] == "create" else None)
    unpulled = FakeKubectl(lambda arguments, _s: said("", 1, "no") if arguments[0] == "apply" else None)
    codes = {
        "BM0403": run(tmp_path, light(always=True)),
        "BM0404": run(tmp_path, light(never=True)),
        "BM0406": run(tmp_path, unpulled),
        "BM0410": run(tmp_path, refused),
    }
    for code, result in codes.items():
        assert [finding.code for finding in result.findings] == [code]
        assert result.outcome == ("broken" if code == "BM0403" else "failed")


def test_the_namespace_is_filled_in(tmp_path: Path) -> None:
    look = {**sample.LOOK, "exec": {"of": "deploy/x", "command": ["look", "${namespace}", "${other}"]}}
    kubectl = light()
    step = {"name": "on", "apply": [sample.CONFIG_MAP], "within": "0.1s", "expect": [look]}
    result = run(tmp_path, kubectl, steps=[step])
    executed = next(command for command in kubectl.commands if command[0] == "exec")
    assert executed[-2:] == (result.namespace, "${other}")


def test_a_declared_object_is_taken_away_at_the_end(tmp_path: Path) -> None:
    kubectl = light()
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}}
    step = {"name": "role", "apply": [role, sample.CONFIG_MAP], "within": "0.1s", "expect": [sample.LOOK]}
    result = run(tmp_path, kubectl, steps=[step], elsewhere=[{"kind": "ClusterRole", "name": "r"}])
    assert result.outcome == "passed"
    deleted = [command[1:3] for command in kubectl.commands if command[0] == "delete"]
    assert deleted == [("ClusterRole", "r"), ("namespace", result.namespace)]

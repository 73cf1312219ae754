"""
The run of one task, in a namespace of its own.

Each expectation is evaluated before its step, where it must fail (or hold, if the task says so), and after it until it
holds or its time is over. The first thing that goes wrong ends the steps; cleaning up always happens and is checked.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable

import msgspec
import yaml

from bookmesh.base import durations, names
from bookmesh.tasks import checking, cleaning, ingress, manifests, probing
from bookmesh.tasks import format as formats
from bookmesh.tasks.acting import Acted, Actor
from bookmesh.tasks.kubectl import ClusterError, Kubectl
from bookmesh.tasks.loading import LoadedTask
from bookmesh.tasks.records import Attempt, ExpectationResult, Outcome, Result, StepResult

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
KEPT_EXCHANGES = 12
"""How many exchanges of an attempt go into the record; the verdict was over all of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cluster:
    """Where tasks run."""

    kubectl: Kubectl
    cluster_wide: frozenset[str]
    """Kinds without a namespace, see `acting.cluster_wide_kinds`."""
    ingress_service: str = ingress.DEFAULT_SERVICE


class TaskRun:
    """One run; `run` may be called once."""

    def __init__(
        self,
        loaded: LoadedTask,
        cluster: Cluster,
        *,
        since: float,
        on_step: Callable[[str], None] = lambda _name: None,
    ) -> None:
        suffix = "".join(secrets.choice(names.SAFE_ALPHABET) for _ in range(names.SUFFIX_LENGTH))
        self.namespace = names.generated_name(f"task-{loaded.task.id}-", suffix)
        self._loaded = loaded
        self._task: formats.Task = msgspec.convert(
            manifests.fill_all(msgspec.to_builtins(loaded.task), self.namespace), formats.Task
        )
        prober = probing.Prober(cluster.kubectl, self.namespace, loaded.directory, cluster.ingress_service)
        self._prober = prober
        self._actor = Actor(self._task, prober, cluster.cluster_wide)
        self._kubectl = cluster.kubectl
        self._since = since
        self._on_step = on_step
        self._began = 0.0
        self._own_elsewhere: tuple[formats.Elsewhere, ...] = ()

    def run(self) -> Result:
        """Run all steps, or as far as they go; nothing is raised for what the cluster does."""
        self._began = time.monotonic()
        steps: list[StepResult] = []
        outcome: Outcome = "passed"
        message = ""
        try:
            self._on_step("namespace")
            self._prepare()
            for step in self._task.steps:
                self._on_step(step.name)
                steps.append(self._run_step(step))
                outcome, message = steps[-1].outcome, steps[-1].message
                if outcome != "passed":
                    message = f"{step.name}: {message}"
                    break
        except ClusterError as error:
            outcome, message = "failed", str(error)
        finally:
            self._on_step("cleaning up")
            cleaning_began = time.monotonic()
            leftovers = cleaning.clean(self._kubectl, self.namespace, self._own_elsewhere)
        if leftovers:
            message = "; ".join([*([message] if message else []), f"left behind: {', '.join(leftovers)}"])
            outcome = "failed" if outcome == "passed" else outcome
        return Result(
            key=self._loaded.key,
            title=self._task.title,
            page=self._task.page,
            summary=self._task.summary,
            file=str(self._loaded.file),
            namespace=self.namespace,
            outcome=outcome,
            message=message,
            began_at_s=self._began - self._since,
            took_s=self._now(),
            steps=tuple(steps),
            cleaned_s=time.monotonic() - cleaning_began,
        )

    def _prepare(self) -> None:
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": self.namespace,
                "labels": {"istio-injection": "enabled", cleaning.RUN_LABEL: self._task.id},
            },
        }
        self._kubectl.must("create", "-f", "-", stdin=yaml.safe_dump(namespace))
        found = cleaning.existing(self._kubectl, self._task.elsewhere)
        if found:
            raise ClusterError(
                f"{', '.join(found)} is there already: the task would change what is not its own"
            )
        self._own_elsewhere = self._task.elsewhere

    def _run_step(self, step: formats.Step) -> StepResult:
        at_s = self._now()
        controls = [(expectation, self._evaluate(expectation)) for expectation in step.expect]
        results = [_judge_control(expectation, control) for expectation, control in controls]
        broken = next((result for result in results if result.outcome != "passed"), None)
        if broken:
            acted = Acted("", "", "")
        else:
            acted = self._actor.act(step)
            if not acted.error:
                deadline = time.monotonic() + durations.parse_duration_s(step.within)
                results = [self._await(*control, deadline=deadline) for control in controls]
        failed = next((result for result in results if result.outcome != "passed"), None)
        outcome: Outcome = "failed" if acted.error else failed.outcome if failed else "passed"
        message = acted.error or (f"{failed.name}: {failed.message}" if failed else "")
        return StepResult(
            name=step.name,
            action=formats.action_of(step),
            outcome=outcome,
            message=message,
            at_s=at_s,
            acted_s=acted.took_s,
            took_s=self._now() - at_s,
            detail=acted.detail,
            output=acted.output,
            expectations=tuple(results),
        )

    def _await(
        self, expectation: formats.Expectation, before: Attempt, *, deadline: float
    ) -> ExpectationResult:
        """Evaluate until it holds or the time is over: of the expectation if it states one, else of the step."""
        if expectation.within is not None:
            deadline = time.monotonic() + durations.parse_duration_s(expectation.within)
        pause_s, attempts = FIRST_PAUSE_S, 0
        while True:
            after = self._evaluate(expectation)
            attempts += 1
            left_s = deadline - time.monotonic()
            if after.holds or left_s <= 0:
                break
            time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        message = "" if after.holds else next(v.text for v in after.verdicts if not v.holds)
        outcome: Outcome = "passed" if after.holds else "failed"
        return _result(expectation, outcome, message, before=before, after=after, attempts=attempts)

    def _evaluate(self, expectation: formats.Expectation) -> Attempt:
        at_s = self._now()
        observation = self._prober.probe(expectation)
        verdicts = checking.check(expectation, observation)
        slim = dataclasses.replace(
            observation, made=len(observation.exchanges), exchanges=observation.exchanges[:KEPT_EXCHANGES]
        )
        return Attempt(at_s, self._now() - at_s, slim, verdicts)

    def _now(self) -> float:
        return time.monotonic() - self._began


def _judge_control(expectation: formats.Expectation, control: Attempt) -> ExpectationResult:
    """Decide whether what was seen before the step lets the step show anything."""
    if expectation.before == "fails" and control.holds:
        message = "was true before the step was applied: it does not show what the step does"
        return _result(expectation, "broken", message, before=control)
    if expectation.before == "holds" and not control.holds:
        failed = next(verdict.text for verdict in control.verdicts if not verdict.holds)
        return _result(expectation, "failed", f"must hold before the step too: {failed}", before=control)
    return _result(expectation, "passed", "", before=control)


def _result(
    expectation: formats.Expectation,
    outcome: Outcome,
    message: str,
    *,
    before: Attempt,
    after: Attempt | None = None,
    attempts: int = 0,
) -> ExpectationResult:
    return ExpectationResult(
        name=expectation.name,
        probe=probing.describe(expectation),
        outcome=outcome,
        message=message,
        before=before,
        after=after,
        attempts=attempts,
    )

"""
The run of one task, in a namespace of its own.

Each expectation is evaluated before its step, where it must fail (or hold, if the task says so: that is waited for),
and after it until it holds or its time is over. The first thing that goes wrong ends the steps; cleaning up always
happens and is checked.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Callable

import msgspec
import yaml

from bookmesh.base import durations, names
from bookmesh.base.findings import Finding
from bookmesh.tasks import checking, cleaning, events, failures, ingress, manifests, probing
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


class _StoppedError(Exception):
    """Somebody wants it to end."""


class TaskRun:
    """One run; `run` may be called once."""

    def __init__(
        self,
        loaded: LoadedTask,
        cluster: Cluster,
        *,
        since: float,
        on_step: Callable[[str], None] = lambda _name: None,
        keeps: bool = False,
        stopping: threading.Event | None = None,
    ) -> None:
        """
        Args:
            keeps: what a run that does not pass has made is left, to look into it.
            stopping: once it is set, nothing more is looked at, and the run cleans up.
        """
        suffix = "".join(secrets.choice(names.SAFE_ALPHABET) for _ in range(names.SUFFIX_LENGTH))
        self.namespace = names.generated_name(f"task-{loaded.task.id}-", suffix)
        self._loaded = loaded
        self._task: formats.Task = msgspec.convert(
            manifests.fill_all(msgspec.to_builtins(loaded.task), self.namespace), formats.Task
        )
        gateway = ingress.Gateway(cluster.kubectl, self._task.ingress or cluster.ingress_service)
        prober = probing.Prober(cluster.kubectl, self.namespace, loaded.directory, gateway)
        self._prober = prober
        self._actor = Actor(self._task, prober, cluster.cluster_wide)
        self._kubectl = cluster.kubectl
        self._since = since
        self._on_step = on_step
        self._keeps = keeps
        self._stopping = stopping or threading.Event()
        self._failures = failures.Failures(loaded)
        self._began = 0.0
        self._own_elsewhere: tuple[formats.Elsewhere, ...] = ()

    def run(self) -> Result:
        """Run all steps, or as far as they go; nothing is raised for what the cluster does."""
        self._began = time.monotonic()
        steps: list[StepResult] = []
        findings: list[Finding] = []
        outcome: Outcome = "passed"
        prepared_s = 0.0
        try:
            self._on_step("namespace")
            findings += self._prepare()
            prepared_s = self._now()
            for index, step in enumerate(() if findings else self._task.steps):
                self._on_step(step.name)
                steps.append(self._run_step(index, step))
                outcome = steps[-1].outcome
                if outcome != "passed":
                    findings += [found for found in (steps[-1].finding,) if found]
                    break
        except ClusterError as error:
            findings.append(self._failures.cluster_failed(str(error)))
        except _StoppedError:
            outcome = "failed"
        finally:
            is_kept = self._keeps and bool(findings)
            self._on_step("kept" if is_kept else "cleaning up")
            cleaning_began = time.monotonic()
            if not is_kept:
                leftovers = cleaning.clean(self._kubectl, self.namespace, self._own_elsewhere)
                findings += [self._failures.left_behind(leftovers)] if leftovers else []
        return Result(
            key=self._loaded.key,
            title=self._task.title,
            page=self._task.page,
            summary=self._task.summary,
            file=str(self._loaded.file),
            namespace=self.namespace,
            outcome="failed" if findings and outcome == "passed" else outcome,
            findings=tuple(findings),
            began_at_s=self._began - self._since,
            took_s=self._now(),
            steps=tuple(steps),
            prepared_s=prepared_s,
            cleaned_s=time.monotonic() - cleaning_began,
        )

    def _prepare(self) -> list[Finding]:
        """Make the namespace, unless something is in the way, which is returned."""
        found = cleaning.existing(self._kubectl, self._task.elsewhere)
        if found:
            return [self._failures.is_there_already(found)]
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": self.namespace,
                "labels": {"istio-injection": "enabled", cleaning.RUN_LABEL: self._task.id},
            },
        }
        self._kubectl.must("create", "-f", "-", stdin=yaml.safe_dump(namespace))
        self._own_elsewhere = self._task.elsewhere
        return []

    def _run_step(self, index: int, step: formats.Step) -> StepResult:
        at_s = self._now()
        controls = [self._look_before(step, expectation) for expectation in step.expect]
        results = [
            self._judge_control(index, *item) for item in enumerate(zip(step.expect, controls, strict=True))
        ]
        acted, finding = Acted("", "", ""), next((each.finding for each in results if each.finding), None)
        if finding is None:
            acted = self._actor.act(step)
            if acted.error:
                finding = self._failures.action_failed(
                    index, formats.action_of(step), acted.error, warnings=self._warnings(are_pods_up=False)
                )
            elif acted.strays:
                finding = self._failures.strays(index, formats.action_of(step), acted.strays)
            else:
                deadline = time.monotonic() + durations.parse_duration_s(step.within)
                results = [
                    self._await(index, position, control, deadline=deadline)
                    for position, control in enumerate(controls)
                ]
                finding = next((each.finding for each in results if each.finding), None)
        outcomes = [each.outcome for each in results if each.outcome != "passed"]
        return StepResult(
            name=step.name,
            action=formats.action_of(step),
            outcome=outcomes[0] if outcomes else "failed" if finding else "passed",
            finding=finding,
            at_s=at_s,
            acted_s=acted.took_s,
            rolled_out_s=acted.rolled_out_s,
            took_s=self._now() - at_s,
            detail=acted.detail,
            output=acted.output,
            expectations=tuple(results),
        )

    def _look_before(self, step: formats.Step, expectation: formats.Expectation) -> Attempt:
        """Look once; what must hold already is waited for: a step before may have brought it about only just."""
        if expectation.before != "holds":
            return self._evaluate(expectation)
        return self._look_until(time.monotonic() + durations.parse_duration_s(step.within), expectation)[0]

    def _look_until(self, deadline: float, expectation: formats.Expectation) -> tuple[Attempt, int]:
        """Evaluate until it holds or the time is over; returns the last attempt, and how many there were."""
        pause_s, attempts = FIRST_PAUSE_S, 0
        while True:
            attempt = self._evaluate(expectation)
            attempts += 1
            left_s = deadline - time.monotonic()
            if attempt.holds or left_s <= 0:
                return attempt, attempts
            self._stopping.wait(min(pause_s, left_s))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _await(self, index: int, position: int, before: Attempt, *, deadline: float) -> ExpectationResult:
        """Evaluate until it holds or the time is over: of the expectation if it states one, else of the step."""
        expectation = self._task.steps[index].expect[position]
        began = time.monotonic()
        if expectation.within is not None:
            deadline = began + durations.parse_duration_s(expectation.within)
        after, attempts = self._look_until(deadline, expectation)
        finding = None
        if not after.holds:
            took_s = time.monotonic() - began
            finding = self._failures.does_not_hold(
                index, position, after, attempts=attempts, took_s=took_s, warnings=self._warnings()
            )
        return ExpectationResult(
            name=expectation.name,
            probe=probing.describe(expectation),
            outcome="failed" if finding else "passed",
            finding=finding,
            before=before,
            after=after,
            attempts=attempts,
        )

    def _judge_control(
        self, index: int, position: int, judged: tuple[formats.Expectation, Attempt]
    ) -> ExpectationResult:
        """Decide whether what was seen before the step lets the step show anything."""
        expectation, control = judged
        outcome: Outcome = "passed"
        finding = None
        if expectation.before == "fails" and control.holds:
            outcome, finding = "broken", self._failures.shows_nothing(index, position, control)
        elif expectation.before == "holds" and not control.holds:
            finding = self._failures.does_not_hold_before(index, position, control, warnings=self._warnings())
            outcome = "failed"
        return ExpectationResult(
            name=expectation.name,
            probe=probing.describe(expectation),
            outcome=outcome,
            finding=finding,
            before=control,
            after=None,
            attempts=0,
        )

    def _warnings(self, *, are_pods_up: bool = True) -> list[str]:
        return events.warnings(self._kubectl, self.namespace, are_pods_up=are_pods_up)

    def _evaluate(self, expectation: formats.Expectation) -> Attempt:
        if self._stopping.is_set():
            raise _StoppedError
        at_s = self._now()
        observation = self._prober.probe(expectation)
        verdicts = checking.check(expectation, observation)
        slim = dataclasses.replace(
            observation, made=len(observation.exchanges), exchanges=observation.exchanges[:KEPT_EXCHANGES]
        )
        return Attempt(at_s, self._now() - at_s, slim, verdicts)

    def _now(self) -> float:
        return time.monotonic() - self._began

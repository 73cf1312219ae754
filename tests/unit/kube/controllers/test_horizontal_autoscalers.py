"""Behaviour of `bookmesh.kube.controllers.horizontal_autoscalers` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.base.kubernetes import DEPLOYMENTS, JsonObject
from bookmesh.kube.controllers import horizontal_autoscalers, scaling_rules


@pytest.mark.parametrize(
    "path", golden_cases.inputs("horizontal_autoscalers"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    wanted = horizontal_autoscalers.reconcile(case["desired"], _seen(case["seen"]))
    golden_cases.check(path, case, wanted, update=update_golden)


def _seen(given: JsonObject) -> horizontal_autoscalers.Seen:
    metrics = given.get("metrics")
    return horizontal_autoscalers.Seen(
        now=golden_cases.moment(given["now"]),
        target=DEPLOYMENTS,
        scale=given.get("scale"),
        scale_error=given.get("scale_error", ""),
        pods=tuple(given.get("pods", ())),
        metrics=None if metrics is None else tuple(metrics),
        metrics_error=given.get("metrics_error", ""),
        history=scaling_rules.History(
            tuple(
                scaling_rules.Recommendation(golden_cases.moment(at), replicas)
                for at, replicas in given.get("recommendations", ())
            )
        ),
        refusal=given.get("refusal", ""),
    )

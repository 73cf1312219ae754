from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.node import probes


def judge(kind: probes.ProbeKind, **probe: Any) -> probes.ProbeJudge:
    parsed = probes.parse_probe({f"{kind}Probe": {"exec": {}, **probe}}, kind)
    assert parsed is not None
    return probes.ProbeJudge(parsed)


def test_defaults_are_the_apis() -> None:
    handler = {"httpGet": {"port": 80}}
    assert probes.parse_probe({"livenessProbe": handler}, "liveness") == probes.Probe(
        kind="liveness",
        handler=handler,
        initial_delay_s=0,
        period_s=10,
        timeout_s=1,
        success_threshold=1,
        failure_threshold=3,
        grace_s=None,
    )
    assert probes.parse_probe({"livenessProbe": handler}, "readiness") is None


@pytest.mark.parametrize("kind", ["startup", "readiness"])
def test_early_looks_come_at_50_ms_and_double_up_to_the_period(kind: probes.ProbeKind) -> None:
    looks, at = judge(kind, periodSeconds=1), 0.0
    times = [at]
    for _ in range(7):
        at += looks.judge(False, at_s=at).next_s
        times.append(round(at, 3))
    assert times == [0.0, 0.05, 0.15, 0.35, 0.75, 1.0, 2.0, 3.0]


def test_early_failures_do_not_count() -> None:
    looks = judge("startup", periodSeconds=1, failureThreshold=3)
    counted, at, judgement = [], 0.0, None
    for _ in range(20):
        judgement = looks.judge(False, at_s=at)
        if judgement.counted:
            counted.append(round(at, 3))
        if judgement.passing is False:
            break
        at += judgement.next_s
    assert counted == [0.0, 1.0, 2.0]
    assert judgement is not None
    assert judgement.passing is False


def test_an_early_success_counts() -> None:
    looks = judge("startup", periodSeconds=10)
    assert looks.judge(False, at_s=0).passing is None
    assert looks.judge(True, at_s=0.05).passing is True


def test_a_liveness_probe_looks_once_a_period() -> None:
    looks = judge("liveness", periodSeconds=5, failureThreshold=2)
    first = looks.judge(False, at_s=0)
    assert (first.passing, first.counted, first.next_s) == (None, True, 5)
    assert looks.judge(False, at_s=5).passing is False


def test_thresholds_need_results_in_a_row() -> None:
    looks = judge("readiness", periodSeconds=1, failureThreshold=2, successThreshold=2)
    outcomes = [
        (True, None),
        (True, True),
        (False, None),
        (True, None),
        (False, None),
        (False, False),
        (True, None),
    ]
    for at, (success, passing) in enumerate(outcomes):
        assert looks.judge(success, at_s=float(at)).passing is passing, at


def test_after_the_first_success_readiness_looks_once_a_period() -> None:
    looks = judge("readiness", periodSeconds=3)
    assert looks.judge(True, at_s=0.05).next_s == 3
    assert looks.judge(False, at_s=3.05).next_s == 3

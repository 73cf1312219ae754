from __future__ import annotations

from bookmesh.kube.node.back_off import BackOff, BackOffLimits

LIMITS = BackOffLimits()


def test_restarts_begin_at_once_and_double_up_to_five_minutes() -> None:
    back_off = BackOff(LIMITS, first_at_once=True)
    assert [back_off.delay_s() for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_pulls_wait_from_the_first_failure_on() -> None:
    back_off = BackOff(LIMITS, first_at_once=False)
    assert [back_off.delay_s() for _ in range(3)] == [10, 20, 40]


def test_a_long_run_starts_over() -> None:
    back_off = BackOff(LIMITS, first_at_once=True)
    assert [back_off.delay_s() for _ in range(3)] == [0, 10, 20]
    assert back_off.delay_s(ran_for_s=599) == 40
    assert back_off.delay_s(ran_for_s=600) == 0
    assert back_off.delay_s() == 10

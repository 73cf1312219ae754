from __future__ import annotations

from bookmesh.base import steps


def work(log: list[str]) -> steps.Steps[int]:
    log.append("first")
    yield
    log.append("second")
    return 7


def test_the_result_comes_after_all_steps() -> None:
    log: list[str] = []
    assert steps.result_of(work(log)) == 7
    assert log == ["first", "second"]


def test_somebody_else_may_have_a_turn_between_two_steps() -> None:
    log: list[str] = []
    next(work(log))
    assert log == ["first"]


def test_items_are_cut_into_batches() -> None:
    assert list(steps.batches("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(steps.batches("abcd", 2)) == [["a", "b"], ["c", "d"]]
    assert list(steps.batches("", 2)) == []

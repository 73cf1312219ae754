from __future__ import annotations

from bookmesh.base.latest import Latest


def test_it_is_built_again_only_for_other_objects() -> None:
    latest: Latest[int] = Latest()
    built: list[int] = []

    def build() -> int:
        built.append(len(built))
        return built[-1]

    one, equal = [1], [1]
    assert [latest.get((one, "x"), build), latest.get((one, "x"), build)] == [0, 0]
    assert latest.get((equal, "x"), build) == 1
    assert latest.get((equal,), build) == 2
    assert latest.get((equal, "x"), build) == 3


def test_a_failure_is_not_remembered() -> None:
    latest: Latest[int] = Latest()
    key = (object(),)

    def fail() -> int:
        raise ValueError

    for _ in range(2):
        try:
            latest.get(key, fail)
        except ValueError:
            continue
        raise AssertionError("it did not fail")
    assert latest.get(key, lambda: 7) == 7

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bookmesh.release import planning
from bookmesh.release.contracts import Declared, ReleaseId, Requirement
from bookmesh.release.ranges import parse_range

NAMES = [ReleaseId("shop", name) for name in "abcdefg"]


def graphs() -> st.SearchStrategy[dict[ReleaseId, set[ReleaseId]]]:
    needs = st.sets(st.sampled_from(NAMES))
    return st.fixed_dictionaries(dict.fromkeys(NAMES, needs))


@given(graphs())
def test_there_is_either_an_order_or_a_circle(needs: dict[ReleaseId, set[ReleaseId]]) -> None:
    circle = planning.find_circle(needs)
    if circle:
        following = [*circle[1:], circle[0]]
        assert all(after in needs[before] for before, after in zip(circle, following, strict=True))
        return
    seen: set[ReleaseId] = set()
    for wave in planning.waves(needs):
        assert all(needs[release] <= seen for release in wave), "something it needs comes later"
        assert list(wave) == sorted(wave)
        seen |= set(wave)
    assert seen == set(NAMES)


def test_removal_goes_from_callers_to_the_called_and_ends_with_circles() -> None:
    a, b, c, *_ = NAMES
    anything = parse_range(">=0")

    def needs(release: ReleaseId, *others: ReleaseId) -> Declared:
        return Declared(release, tuple(Requirement(other, "api", anything) for other in others))

    assert planning.removal_order([needs(c), needs(b, c), needs(a, b, c)]) == [a, b, c]
    assert planning.removal_order([needs(a, b), needs(b, a)]) == [a, b]

from __future__ import annotations

from bookmesh.lab.extents import Extent


def test_each_extent_has_what_the_ones_before_it_have() -> None:
    assert [extent.has_controllers for extent in Extent] == [False, True, True, True]
    assert [extent.has_node for extent in Extent] == [False, False, True, True]


def test_each_is_told_in_words_of_its_own() -> None:
    assert len({extent.described for extent in Extent}) == len(Extent)

from __future__ import annotations

import pytest

from bookmesh.kube.node import expansion


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("$(A)", "1"),
        ("x-$(A)-$(B)", "x-1-2"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A and ${A}", "$A and ${A}"),
        ("$(A", "$(A"),
        ("price: 5$", "price: 5$"),
    ],
)
def test_references_are_replaced_by_what_is_known(text: str, expanded: str) -> None:
    assert expansion.expand(text, {"A": "1", "B": "2"}) == expanded

"""Fields that are set and have no effect."""

from __future__ import annotations

from typing import Annotated

from bookmesh.mesh.model import acting
from bookmesh.mesh.model.base import NOT_ACTED_ON, Model


class Leaf(Model, frozen=True):
    """A leaf."""

    used: str = ""
    not_used: Annotated[int | None, NOT_ACTED_ON] = None


class Tree(Model, frozen=True):
    """A tree."""

    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    by_name: dict[str, Leaf] = {}
    ignored: Annotated[Leaf | None, NOT_ACTED_ON] = None


def test_marked_fields_are_found_wherever_they_are() -> None:
    leaf = Leaf(not_used=1)
    tree = Tree(leaf=leaf, leaves=(Leaf(used="x"), leaf), by_name={"a": leaf}, ignored=leaf)
    assert list(acting.fields_not_acted_on(tree, "spec")) == [
        "spec.leaf.notUsed",
        "spec.leaves[1].notUsed",
        "spec.byName.a.notUsed",
        "spec.ignored",
    ]


def test_fields_left_at_their_default_do_not_count() -> None:
    assert list(acting.fields_not_acted_on(Tree(leaf=Leaf()), "spec")) == []

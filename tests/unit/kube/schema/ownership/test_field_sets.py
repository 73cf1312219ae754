"""The algebra of field sets, by example and by law."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bookmesh.kube.schema.ownership import field_sets

LABELS: field_sets.FieldSet = {"f:metadata": {"f:labels": {".": {}, "f:app": {}, "f:tier": {}}}}


def _sets() -> st.SearchStrategy[field_sets.FieldSet]:
    steps = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])

    def inner(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        below = st.dictionaries(steps, children, min_size=1, max_size=3)
        return st.one_of(below, below.map(lambda found: {".": {}, **found}))

    node = st.recursive(st.just({}), inner, max_leaves=8)
    return st.dictionaries(steps, node, max_size=3)


def members(fields: field_sets.FieldSet) -> set[str]:
    return set(field_sets.paths(fields))


def test_paths_read_as_people_write_them() -> None:
    fields = {
        "f:spec": {
            "f:containers": {
                'k:{"name":"web"}': {
                    ".": {},
                    "f:image": {},
                    "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {}},
                }
            },
            "f:finalizers": {'v:"a/b"': {}},
        }
    }
    assert field_sets.paths(fields) == [
        '.spec.containers[name="web"]',
        '.spec.containers[name="web"].image',
        '.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]',
        '.spec.finalizers[="a/b"]',
    ]


def test_an_inner_path_is_a_member_only_with_a_dot() -> None:
    assert members(LABELS) == {".metadata.labels", ".metadata.labels.app", ".metadata.labels.tier"}


def test_taking_a_path_away_keeps_what_is_below_it() -> None:
    rest = field_sets.difference(LABELS, {"f:metadata": {"f:labels": {}}})
    assert rest == {"f:metadata": {"f:labels": {"f:app": {}, "f:tier": {}}}}


def test_nothing_stays_of_a_branch_that_is_empty() -> None:
    assert field_sets.difference(LABELS, LABELS) == {}


@given(_sets(), _sets())
def test_operations_are_those_of_sets_of_paths(left: field_sets.FieldSet, right: field_sets.FieldSet) -> None:
    assert members(field_sets.union(left, right)) == members(left) | members(right)
    assert members(field_sets.difference(left, right)) == members(left) - members(right)
    assert members(field_sets.intersection(left, right)) == members(left) & members(right)


@given(_sets(), _sets())
def test_equal_sets_of_paths_are_equal_trees(left: field_sets.FieldSet, right: field_sets.FieldSet) -> None:
    together = field_sets.union(left, right)
    assert field_sets.union(field_sets.difference(together, right), right) == together
    assert list(field_sets.ordered(together)) == sorted(together)

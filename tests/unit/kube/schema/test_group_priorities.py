"""The order of groups and versions."""

from __future__ import annotations

from bookmesh.kube.schema import group_priorities, kinds


def test_every_built_in_group_has_a_priority_of_its_own() -> None:
    custom = group_priorities.priority_of(kinds.Kinds().add_crd(_definition())[0])
    for kind in kinds.Kinds().all():
        assert group_priorities.priority_of(kind) > custom, kind.group


def test_the_newer_autoscaling_comes_first() -> None:
    found = {
        kind.version: group_priorities.priority_of(kind)
        for kind in kinds.Kinds().all()
        if kind.group == "autoscaling"
    }
    assert found["v2"] > found["v1"]


def _definition() -> dict[str, object]:
    version = {"name": "v1", "served": True, "storage": True}
    names = {"kind": "Dog", "plural": "dogs"}
    spec = {"group": "pets.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": "dogs.pets.example.com"}, "spec": spec}

"""A kind without a special behaviour."""

from __future__ import annotations

from bookmesh.base.kubernetes import copy_json
from bookmesh.kube.api.strategies import base


def test_nothing_is_changed_held_or_delayed() -> None:
    obj = {"metadata": {"name": "a"}, "spec": {"x": 1}}
    before, plain = copy_json(obj), base.Strategy()
    plain.prepare_create(obj)
    plain.prepare_update(obj, before)
    plain.allocate(obj, None)
    plain.check_delete(obj)
    plain.begin_deletion(obj)
    assert obj == before
    assert plain.grace_s(obj, 30) == 0
    assert not plain.is_held(obj)

"""Both sorts of policies, through the verbs."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.policies import worlds

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import verbs


def test_what_one_adds_another_may_refuse(over: verbs.Verbs) -> None:
    change = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": "Object{data: {'a': 'b'}}"},
    }
    worlds.lay_down(over, {"mutations": [change]}, is_mutating=True)
    body = {"metadata": {"name": "web", "namespace": "default"}}
    assert over.create(kubernetes.CONFIG_MAPS, body).object["data"] == {"a": "b"}
    worlds.lay_down(over, {"validations": [{"expression": "!has(object.data.a)"}]})
    other = {"metadata": {"name": "other", "namespace": "default"}}
    with pytest.raises(ApiError, match="denied request: failed expression"):
        over.create(kubernetes.CONFIG_MAPS, other)


def test_policies_say_nothing_about_policies(over: verbs.Verbs) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    spec = {"matchConstraints": {"resourceRules": [everything]}, "validations": [{"expression": "false"}]}
    worlds.lay_down(over, spec)
    worlds.lay_down(over, spec, name="another")

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.controllers import resources
from bookmesh.kube.schema import kinds


def definition(*, established: str = "True", **spec: Any) -> JsonObject:
    return {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1beta1", "storage": False}, {"name": "v1", "storage": True}],
            **spec,
        },
        "status": {"conditions": [{"type": "Established", "status": established}]},
    }


def test_a_definition_is_followed_in_its_storage_version() -> None:
    served = resources.of_definition(definition())
    assert served == resources.Served(Resource("example.com", "v1", "things"), "Thing")


def test_a_cluster_scoped_definition_is_told_apart() -> None:
    served = resources.of_definition(definition(scope="Cluster"))
    assert served is not None
    assert not served.is_namespaced


def test_a_definition_that_is_not_established_serves_nothing() -> None:
    assert resources.of_definition(definition(established="False")) is None
    assert resources.of_definition({**definition(), "status": {}}) is None


def test_everything_that_is_served_is_known() -> None:
    served = {
        (kind.resource, kind.kind, kind.namespaced)
        for kind in kinds.Kinds().all()
        if "list" in kind.verbs and kind.is_storage_version
    }
    known = {(each.resource, each.kind, each.is_namespaced) for each in resources.BUILT_IN}
    assert known == served


def test_no_resource_is_listed_twice() -> None:
    listed = [each.resource for each in resources.BUILT_IN]
    assert len(listed) == len(set(listed))

"""Parameters by name and by selector."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.policies import worlds

from bookmesh.base import kubernetes
from bookmesh.kube.api import verbs
from bookmesh.kube.api.policies import definitions, parameters

SPEC = {"validations": [{"expression": "true"}]}


def found(over: verbs.Verbs, kind: dict[str, str] | None, place: str, **reference: Any) -> list[Any]:
    spec = {**SPEC, "paramKind": kind} if kind else SPEC
    given = {"parameterNotFoundAction": "Allow", **reference} if reference else None
    worlds.lay_down(over, spec, binding={"paramRef": given} if given else {})
    (policy,) = definitions.Definitions(over.store, definitions.VALIDATING).policies()
    return [
        each and each["metadata"]["name"]
        for each in parameters.find(over.store, over.kinds, policy, policy.bindings[0], place)
    ]


@pytest.fixture
def secrets(over: verbs.Verbs) -> verbs.Verbs:
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop"}})
    for name, namespace in (("a", "default"), ("b", "default"), ("c", "shop")):
        fields = {"name": name, "namespace": namespace, "labels": {"is": name}}
        over.create(kubernetes.SECRETS, {"metadata": fields})
    return over


@pytest.mark.parametrize(
    ("kind", "reference", "expected"),
    [
        (None, {"name": "a"}, [None]),
        (worlds.KIND, {}, [None]),
        (worlds.KIND, {"name": "a"}, ["a"]),
        (worlds.KIND, {"name": "c"}, []),
        (worlds.KIND, {"name": "c", "namespace": "shop"}, ["c"]),
        (worlds.KIND, {"selector": {}}, ["a", "b"]),
        (worlds.KIND, {"selector": {"matchLabels": {"is": "b"}}}, ["b"]),
        ({"apiVersion": "v1", "kind": "Namespace"}, {"name": "shop"}, ["shop"]),
    ],
)
def test_found(secrets: verbs.Verbs, kind: Any, reference: Any, expected: Any) -> None:
    assert found(secrets, kind, "default", **reference) == expected


@pytest.mark.parametrize(
    ("kind", "reference", "why"),
    [
        (worlds.KIND, {"name": "x", "parameterNotFoundAction": "Deny"}, "no params found"),
        ({"apiVersion": "a/v1", "kind": "X"}, {"name": "x"}, "`a/v1, Kind=X` not known"),
        ({"apiVersion": "v1", "kind": "Namespace"}, {"name": "x", "namespace": "y"}, "must not be provided"),
    ],
)
def test_what_cannot_be_used(secrets: verbs.Verbs, kind: Any, reference: Any, why: str) -> None:
    with pytest.raises(parameters.ConfigurationError, match=why):
        found(secrets, kind, "default", **reference)


def test_objects_outside_of_namespaces_have_no_parameters_inside(secrets: verbs.Verbs) -> None:
    with pytest.raises(parameters.ConfigurationError, match="matches cluster-scoped"):
        found(secrets, worlds.KIND, "", name="a")

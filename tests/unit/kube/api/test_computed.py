"""Kinds whose objects are made when somebody asks."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import POD_METRICS, ApiError, JsonObject
from bookmesh.kube.api import selectors, verbs
from bookmesh.kube.schema import builtin_kinds, kinds, schemas
from bookmesh.kube.store import store as stores


def _object(name: str, namespace: str, **labels: str) -> JsonObject:
    return {"kind": "PodMetrics", "metadata": {"name": name, "namespace": namespace, "labels": labels}}


@pytest.fixture
def over() -> verbs.Verbs:
    objects = [_object("b", "two", app="x"), _object("a", "two"), _object("c", "one", app="x")]
    return verbs.Verbs(
        stores.Store.open(None),
        kinds.Kinds(more=kinds.parse_table(builtin_kinds.METRICS)),
        schemas.Schemas.load(),
        sources={POD_METRICS: lambda: objects},
    )


def _names(found: object) -> list[str]:
    return [each.name for each in found]  # type: ignore[attr-defined]


def test_lists_are_in_order_and_take_namespaces_and_selectors(over: verbs.Verbs) -> None:
    assert _names(over.list(POD_METRICS)) == ["c", "a", "b"]
    assert _names(over.list(POD_METRICS, "two")) == ["a", "b"]
    assert _names(over.list(POD_METRICS, matches=selectors.parse("app=x", "", kind="PodMetrics"))) == [
        "c",
        "b",
    ]


def test_one_is_got_by_namespace_and_name(over: verbs.Verbs) -> None:
    assert over.get(POD_METRICS, "a", "two").object["metadata"]["name"] == "a"
    with pytest.raises(ApiError) as refusal:
        over.get(POD_METRICS, "a", "one")
    assert refusal.value.message == 'pods.metrics.k8s.io "a" not found'


def test_a_server_without_a_node_that_measures_does_not_serve_them() -> None:
    over = verbs.Verbs(stores.Store.open(None), kinds.Kinds(), schemas.Schemas.load())
    with pytest.raises(ApiError) as refusal:
        over.list(POD_METRICS)
    assert refusal.value.code == 404

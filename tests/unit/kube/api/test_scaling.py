"""The Scale of an object, and back."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import scaling, verbs


def test_scale_of_a_deployment(over: verbs.Verbs, deployment: JsonObject) -> None:
    scale = scaling.scale_of(over.create(kubernetes.DEPLOYMENTS, deployment).object)
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    assert scale["metadata"]["name"] == "web"


@pytest.mark.parametrize(
    ("scale", "code"),
    [
        ({"spec": {"replicas": -1}}, 422),
        ({"spec": {"replicas": "2"}}, 422),
        ({"spec": {"replicas": 2}, "metadata": {"resourceVersion": "1"}}, 409),
        ([], 400),
    ],
)
def test_scale_that_cannot_be(over: verbs.Verbs, deployment: JsonObject, scale: object, code: int) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    with pytest.raises(ApiError) as refusal:
        over.update(kubernetes.DEPLOYMENTS, "web", "default", scale, subresource="scale")
    assert refusal.value.code == code


def test_selector_on_one_line() -> None:
    expressions = [
        {"key": "a", "operator": "In", "values": ["x", "y"]},
        {"key": "b", "operator": "NotIn", "values": ["z"]},
        {"key": "c", "operator": "Exists"},
        {"key": "d", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": expressions}
    assert scaling.selector_text(selector) == "app=web,a in (x,y),b notin (z),c,!d"

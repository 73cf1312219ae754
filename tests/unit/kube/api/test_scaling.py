"""The Scale of an object, and back."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import scaling, verbs


def test_scale_of_a_deployment(over: verbs.Verbs, deployment: JsonObject) -> None:
    kind = over.kind_of(kubernetes.DEPLOYMENTS)
    scale = scaling.scale_of(kind, over.create(kubernetes.DEPLOYMENTS, deployment).object)
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


def test_a_custom_kind_says_where_its_replicas_are(over: verbs.Verbs, definition: JsonObject) -> None:
    scale = {
        "specReplicasPath": ".spec.weight",
        "statusReplicasPath": ".status.count",
        "labelSelectorPath": ".status.selector",
    }
    for version in definition["spec"]["versions"]:
        version["subresources"] = {"status": {}, "scale": scale}
    over.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    routes = Resource("example.com", "v1", "routes")
    over.create(routes, {"metadata": {"name": "a", "namespace": "default"}, "spec": {"host": "x"}})
    status = {"status": {"count": 3, "selector": "app=web"}}
    over.patch(routes, "a", "default", status, patch_type="merge", subresource="status")
    found = scaling.scale_of(over.kind_of(routes), over.get(routes, "a", "default").object)
    assert found["spec"] == {"replicas": 9}
    assert found["status"] == {"replicas": 3, "selector": "app=web"}
    wanted = {"spec": {"replicas": 5}}
    over.patch(routes, "a", "default", wanted, patch_type="merge", subresource="scale")
    assert over.get(routes, "a", "default").object["spec"] == {"host": "x", "weight": 5}

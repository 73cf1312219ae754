"""Server-side apply as the verbs and requests see it; what a merge does is in the tests of `schema.ownership`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.conftest import Send, decoded

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import verbs, writing

PLACE = "/apis/apps/v1/namespaces/default/deployments/web"
APPLY = {"Content-Type": "application/apply-patch+yaml"}


def by(manager: str) -> writing.WriteOptions:
    return writing.WriteOptions(manager=manager)


@pytest.fixture
def configuration(deployment: JsonObject) -> JsonObject:
    return {"apiVersion": "apps/v1", "kind": "Deployment", **deployment}


def managers_of(obj: JsonObject) -> list[tuple[str, str, str]]:
    return [
        (each["manager"], each["operation"], each.get("subresource", ""))
        for each in obj["metadata"]["managedFields"]
    ]


def test_apply_creates_with_defaults_that_nobody_owns(over: verbs.Verbs, configuration: JsonObject) -> None:
    created = over.apply(kubernetes.DEPLOYMENTS, "web", "default", configuration, options=by("me"))
    assert created.is_new
    assert created.object["spec"]["revisionHistoryLimit"] == 10
    assert managers_of(created.object) == [("me", "Apply", "")]
    fields = created.object["metadata"]["managedFields"][0]["fieldsV1"]
    assert "f:revisionHistoryLimit" not in fields["f:spec"]


def test_an_apply_that_creates_is_validated(over: verbs.Verbs, configuration: JsonObject) -> None:
    del configuration["spec"]["selector"]
    with pytest.raises(ApiError) as refusal:
        over.apply(kubernetes.DEPLOYMENTS, "web", "default", configuration, options=by("me"))
    assert refusal.value.code == 422
    assert "spec.selector" in refusal.value.message


def test_a_second_apply_needs_not_be_whole(over: verbs.Verbs, configuration: JsonObject) -> None:
    over.apply(kubernetes.DEPLOYMENTS, "web", "default", configuration, options=by("me"))
    part = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"annotations": {"a": "b"}}}
    written = over.apply(kubernetes.DEPLOYMENTS, "web", "default", part, options=by("other"))
    assert not written.is_new
    assert written.object["metadata"]["annotations"] == {"a": "b"}
    assert written.object["spec"]["replicas"] == 1


def test_applying_the_same_twice_is_no_write(over: verbs.Verbs, configuration: JsonObject) -> None:
    over.apply(kubernetes.DEPLOYMENTS, "web", "default", configuration, options=by("me"))
    before = over.store.version
    over.apply(kubernetes.DEPLOYMENTS, "web", "default", configuration, options=by("me"))
    assert over.store.version == before


def test_other_verbs_keep_account(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment, options=by("creator"))
    over.patch(
        kubernetes.DEPLOYMENTS, "web", "default", {"spec": {"replicas": 3}},
        patch_type="merge", subresource="scale", options=by("scaler"),
    )  # fmt: skip
    status = {"status": {"replicas": 1}}
    over.patch(
        kubernetes.DEPLOYMENTS, "web", "default", status,
        patch_type="merge", subresource="status", options=by("controller"),
    )  # fmt: skip
    obj = over.get(kubernetes.DEPLOYMENTS, "web", "default").object
    assert managers_of(obj) == [
        ("controller", "Update", "status"),
        ("creator", "Update", ""),
        ("scaler", "Update", "scale"),
    ]
    fields = obj["metadata"]["managedFields"]
    assert fields[2]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in fields[1]["fieldsV1"]["f:spec"]


def test_conflicts_read_as_on_a_real_server(over: verbs.Verbs, configuration: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, configuration, options=by("creator"))
    configuration["spec"]["replicas"] = 7
    with pytest.raises(ApiError) as refusal:
        over.apply(kubernetes.DEPLOYMENTS, "web", "default", configuration, options=by("me"))
    assert (refusal.value.code, refusal.value.reason) == (409, "Conflict")
    assert refusal.value.message == (
        'Apply failed with 1 conflict: conflict with "creator" using apps/v1: .spec.replicas'
    )
    assert refusal.value.details == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "creator" using apps/v1',
                "field": ".spec.replicas",
            }
        ]
    }
    configuration["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    with pytest.raises(ApiError) as refusal:
        over.apply(kubernetes.DEPLOYMENTS, "web", "default", configuration, options=by("me"))
    assert refusal.value.message == (
        'Apply failed with 2 conflicts: conflicts with "creator" using apps/v1:\n'
        "- .spec.replicas\n"
        '- .spec.template.spec.containers[name="main"].image'
    )


def test_the_status_of_a_custom_object_is_applied_apart(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    routes = Resource("example.com", "v1", "routes")
    wanted: dict[str, Any] = {
        "apiVersion": "example.com/v1",
        "kind": "Route",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"host": "x"},
        "status": {"ready": True},
    }
    with pytest.raises(ApiError, match="not found"):
        over.apply(routes, "a", "default", wanted, subresource="status", options=by("me"))
    created = over.apply(routes, "a", "default", wanted, options=by("me"))
    assert "status" not in created.object
    other = {**wanted, "spec": {"host": "y"}}
    written = over.apply(routes, "a", "default", other, subresource="status", options=by("me"))
    assert (written.object["spec"]["host"], written.object["status"]) == ("x", {"ready": True})
    assert managers_of(written.object) == [("me", "Apply", ""), ("me", "Apply", "status")]


def test_a_scale_is_applied_to_its_object(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment, options=by("creator"))
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 4}}
    written = over.apply(
        kubernetes.DEPLOYMENTS, "web", "default", scale, subresource="scale", force=True, options=by("me")
    )
    assert written.object["spec"]["replicas"] == 4
    assert managers_of(over.get(kubernetes.DEPLOYMENTS, "web", "default").object)[0] == (
        "me",
        "Apply",
        "scale",
    )


async def test_requests(send: Send, configuration: JsonObject) -> None:
    created = await send("PATCH", f"{PLACE}?fieldManager=me", body=configuration, headers=APPLY)
    assert created.status == 201
    again = await send("PATCH", f"{PLACE}?fieldManager=me&force=true", body=configuration, headers=APPLY)
    assert again.status == 200
    nobody = await send("PATCH", PLACE, body=configuration, headers=APPLY)
    assert nobody.status == 422
    assert "fieldManager: Required value: is required for apply patch" in decoded(nobody)["message"]
    merge = {"Content-Type": "application/merge-patch+json"}
    forced = await send("PATCH", f"{PLACE}?force=true", body={}, headers=merge)
    assert forced.status == 422


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"apiVersion": "v1"}, 400, "Incorrect version specified in apply patch"),
        ({"metadata": {"managedFields": []}}, 400, "metadata.managedFields must be nil"),
        ({"spec": {"replicas": "two"}}, 422, "spec.replicas"),
        ({"metadata": {"uid": "x"}}, 409, "uid mismatch"),
        (
            {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}},
            400,
            r"failed to create typed patch object \(default/web; apps/v1, Kind=Deployment\)",
        ),
    ],
)
def test_what_cannot_be_applied(
    over: verbs.Verbs, configuration: JsonObject, change: JsonObject, code: int, message: str
) -> None:
    with pytest.raises(ApiError, match=message) as refusal:
        over.apply(kubernetes.DEPLOYMENTS, "web", "default", {**configuration, **change}, options=by("me"))
    assert refusal.value.code == code

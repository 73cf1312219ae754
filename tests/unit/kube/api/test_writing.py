"""Create and update: what is filled in, what is refused, what counts as a change."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, copy_json
from bookmesh.kube.api import verbs, writing

STRICT = writing.WriteOptions(field_validation="Strict")


def _config_map(name: str = "a", **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def test_created_object_is_stored_with_its_kind_and_version(over: verbs.Verbs) -> None:
    created = over.create(kubernetes.CONFIG_MAPS, _config_map(x="y")).object
    assert (created["apiVersion"], created["kind"]) == ("v1", "ConfigMap")
    assert created["metadata"]["resourceVersion"] == str(over.store.version)
    assert "generation" not in created["metadata"]


def test_body_is_not_mutated(over: verbs.Verbs, pod: JsonObject) -> None:
    before = copy_json(pod)
    over.create(kubernetes.PODS, pod)
    assert pod == before


def test_same_name_twice(over: verbs.Verbs) -> None:
    over.create(kubernetes.CONFIG_MAPS, _config_map())
    with pytest.raises(ApiError, match='configmaps "a" already exists') as refusal:
        over.create(kubernetes.CONFIG_MAPS, _config_map())
    assert (refusal.value.code, refusal.value.reason) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "is not a ConfigMap object"),
        ({"apiVersion": "v2"}, "does not match the expected API version"),
        ({"kind": "Pod"}, "cannot be handled as a ConfigMap"),
        (
            {"metadata": {"name": "a", "namespace": "other"}},
            "does not match the namespace sent on the request",
        ),
        ({"metadata": {"name": "a", "resourceVersion": "4"}}, "resourceVersion should not be set"),
        ({"metadata": "a"}, "metadata"),
    ],
)
def test_body_that_does_not_fit_the_request(over: verbs.Verbs, body: object, message: str) -> None:
    with pytest.raises(ApiError, match=message) as refusal:
        over.create(kubernetes.CONFIG_MAPS, body, namespace="default")
    assert refusal.value.code == 400


def test_namespace_must_exist_and_stay(over: verbs.Verbs) -> None:
    with pytest.raises(ApiError, match='namespaces "shop" not found'):
        over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "shop"}})
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop"}})
    over.delete(kubernetes.NAMESPACES, "shop")
    with pytest.raises(ApiError, match="because it is being terminated") as refusal:
        over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "shop"}})
    assert refusal.value.code == 403


def test_unknown_fields_are_refused_reported_or_dropped(over: verbs.Verbs, deployment: JsonObject) -> None:
    deployment["spec"]["replica"] = 3
    with pytest.raises(ApiError, match=r'strict decoding error: unknown field "spec\.replica"'):
        over.create(kubernetes.DEPLOYMENTS, deployment, options=STRICT)
    written = over.create(kubernetes.DEPLOYMENTS, deployment)
    assert written.warnings == ('unknown field "spec.replica"',)
    assert "replica" not in written.object["spec"]
    silent = writing.WriteOptions(field_validation="Ignore")
    assert over.update(kubernetes.DEPLOYMENTS, "web", "default", deployment, options=silent).warnings == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"spec": {"replicas": "two"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": {"replicas": "two", "unknown": 1}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"metadata": "web"},
            "json: cannot unmarshal string into Go struct field Deployment.metadata of type v1.ObjectMeta",
        ),
    ],
)
def test_what_cannot_be_decoded_is_a_bad_request(over: verbs.Verbs, change: JsonObject, told: str) -> None:
    strict = writing.WriteOptions(field_validation="Strict")
    with pytest.raises(ApiError) as refusal:
        over.create(kubernetes.DEPLOYMENTS, change, namespace="default", options=strict)
    error = refusal.value
    assert (error.code, error.reason, error.details) == (400, "BadRequest", None)
    assert error.message == f'Deployment in version "v1" cannot be handled as a Deployment: {told}'


def test_an_amount_of_null_is_nothing(over: verbs.Verbs, pod: JsonObject) -> None:
    pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": None, "memory": "1Mi"}}
    created = over.create(kubernetes.PODS, pod).object
    assert created["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "0", "memory": "1Mi"}}


def test_a_broken_rule_is_invalid(over: verbs.Verbs, deployment: JsonObject) -> None:
    deployment["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    with pytest.raises(ApiError, match=r"spec\.template\.metadata\.labels"):
        over.create(kubernetes.DEPLOYMENTS, deployment)


def test_object_without_a_specification_is_invalid_not_a_crash(over: verbs.Verbs) -> None:
    for resource in (kubernetes.PODS, kubernetes.SERVICES, kubernetes.DEPLOYMENTS):
        with pytest.raises(ApiError) as refusal:
            over.create(resource, {"metadata": {"name": "a", "namespace": "default"}})
        assert refusal.value.code == 422, resource


def test_status_is_written_through_its_subresource_only(over: verbs.Verbs, deployment: JsonObject) -> None:
    deployment["status"] = {"replicas": 9}
    created = over.create(kubernetes.DEPLOYMENTS, deployment).object
    assert "replicas" not in created.get("status", {})
    both = {"spec": {"replicas": 5}, "status": {"replicas": 4}}
    after = over.patch(
        kubernetes.DEPLOYMENTS, "web", "default", both, patch_type="merge", subresource="status"
    ).object
    assert (after["spec"]["replicas"], after["status"]["replicas"]) == (1, 4)
    after = over.patch(kubernetes.DEPLOYMENTS, "web", "default", both, patch_type="merge").object
    assert (after["spec"]["replicas"], after["status"]["replicas"]) == (5, 4)


def test_generation_counts_changes_of_the_specification(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)

    def patched(patch: JsonObject, subresource: str = "") -> int:
        written = over.patch(
            kubernetes.DEPLOYMENTS, "web", "default", patch, patch_type="merge", subresource=subresource
        )
        generation: int = written.object["metadata"]["generation"]
        return generation

    assert patched({"metadata": {"labels": {"a": "b"}}}) == 1
    assert patched({"status": {"replicas": 1}}, "status") == 1
    assert patched({"spec": {"replicas": 2}}) == 2


def test_write_that_changes_nothing_is_none(over: verbs.Verbs, deployment: JsonObject) -> None:
    created = over.create(kubernetes.DEPLOYMENTS, deployment).object
    version = over.store.version
    over.update(kubernetes.DEPLOYMENTS, "web", "default", deployment)
    over.update(kubernetes.DEPLOYMENTS, "web", "default", created)
    assert over.store.version == version


def test_update_from_an_old_state_is_a_conflict(over: verbs.Verbs) -> None:
    created = over.create(kubernetes.CONFIG_MAPS, _config_map(x="1")).object
    over.patch(kubernetes.CONFIG_MAPS, "a", "default", {"data": {"x": "2"}}, patch_type="merge")
    with pytest.raises(ApiError, match="please apply your changes to the latest version") as refusal:
        over.update(kubernetes.CONFIG_MAPS, "a", "default", {**created, "data": {"x": "3"}})
    assert (refusal.value.code, refusal.value.reason) == (409, "Conflict")
    over.update(kubernetes.CONFIG_MAPS, "a", "default", _config_map(x="3"))


def test_update_of_another_object_is_refused(over: verbs.Verbs) -> None:
    created = over.create(kubernetes.CONFIG_MAPS, _config_map()).object
    with pytest.raises(ApiError, match="does not match the name on the URL"):
        over.update(kubernetes.CONFIG_MAPS, "a", "default", _config_map("b"))
    other = copy_json(created)
    other["metadata"]["uid"] = "another"
    with pytest.raises(ApiError, match="Precondition failed: UID"):
        over.update(kubernetes.CONFIG_MAPS, "a", "default", other)


def test_dry_run_shows_the_result_and_stores_nothing(over: verbs.Verbs) -> None:
    version = over.store.version
    dry = writing.WriteOptions(dry_run=True)
    shown = over.create(kubernetes.CONFIG_MAPS, _config_map(x="y"), options=dry).object
    assert shown["metadata"]["uid"]
    over.create(kubernetes.CONFIG_MAPS, _config_map(x="y"))
    shown = over.update(kubernetes.CONFIG_MAPS, "a", "default", _config_map(x="z"), options=dry).object
    assert shown["data"] == {"x": "z"}
    assert over.store.version == version + 1


def test_last_finalizer_removed_from_a_deleted_object_ends_it(over: verbs.Verbs) -> None:
    body = _config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    over.create(kubernetes.CONFIG_MAPS, body)
    over.delete(kubernetes.CONFIG_MAPS, "a", "default")
    over.patch(kubernetes.CONFIG_MAPS, "a", "default", {"metadata": {"finalizers": None}}, patch_type="merge")
    with pytest.raises(ApiError, match="not found"):
        over.get(kubernetes.CONFIG_MAPS, "a", "default")


def test_object_needs_a_name(over: verbs.Verbs) -> None:
    with pytest.raises(ApiError, match="name or generateName is required") as refusal:
        over.create(kubernetes.CONFIG_MAPS, {"metadata": {"namespace": "default"}})
    assert refusal.value.code == 422


def test_namespace_is_needed_and_not_guessed(over: verbs.Verbs) -> None:
    with pytest.raises(ApiError, match="an empty namespace may not be set"):
        over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a"}})


def test_default_of_a_custom_kind_may_be_a_required_field(over: verbs.Verbs, definition: JsonObject) -> None:
    for version in definition["spec"]["versions"]:
        schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        schema["required"] = ["weight"]
    over.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    routes = kubernetes.Resource("example.com", "v1", "routes")
    body = {"metadata": {"name": "a", "namespace": "default"}, "spec": {}}
    assert over.create(routes, body).object["spec"] == {"weight": 9}


def _nested(depth: int) -> list[object]:
    return [_nested(depth - 1)] if depth else []


@pytest.mark.parametrize("value", [1 << 70, "\ud800", _nested(300)], ids=["number", "text", "depth"])
def test_what_json_does_not_have_is_refused(over: verbs.Verbs, value: object) -> None:
    body = {"metadata": {"name": "a", "namespace": "default"}, "data": {"a": value}}
    with pytest.raises(ApiError, match="cannot be written as JSON") as refusal:
        over.create(kubernetes.CONFIG_MAPS, body)
    assert refusal.value.code == 400


def test_elements_that_cannot_be_told_apart_are_stored_without_an_account(over: verbs.Verbs) -> None:
    metadata = {"name": "a", "namespace": "default"}
    secrets = [{"name": "one"}, {}]
    made = over.create(kubernetes.SERVICE_ACCOUNTS, {"metadata": metadata, "secrets": secrets}).object
    assert made["secrets"] == secrets
    assert "managedFields" not in made["metadata"]


def test_a_patch_whose_result_cannot_be_decoded_is_invalid(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    patch = {"spec": {"replicas": "two"}}
    with pytest.raises(ApiError) as refusal:
        over.patch(kubernetes.DEPLOYMENTS, "web", "default", patch, patch_type="merge")
    error = refusal.value
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.message.startswith(' "" is invalid: patch: Invalid value: "{')
    assert error.message.endswith(
        ": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    )
    (cause,) = error.status()["details"]["causes"]
    assert cause["field"] == "patch"

"""Pods: what the server adds to them."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import PODS, RUNTIME_CLASSES, SERVICE_ACCOUNTS, ApiError, JsonObject, Resource
from bookmesh.kube.api import verbs
from bookmesh.kube.api.strategies import pods


def _token_volumes(spec: JsonObject) -> list[JsonObject]:
    return [volume for volume in spec.get("volumes", []) if volume["name"].startswith("kube-api-access-")]


def test_new_pod_is_pending_and_has_a_token(over: verbs.Verbs, pod: JsonObject) -> None:
    created = over.create(PODS, pod).object
    (volume,) = _token_volumes(created["spec"])
    kinds = [next(iter(source)) for source in volume["projected"]["sources"]]
    assert kinds == ["serviceAccountToken", "configMap", "downwardAPI"]
    (mount,) = created["spec"]["containers"][0]["volumeMounts"]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], pods.TOKEN_DIRECTORY)
    assert created["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert created["spec"]["serviceAccountName"] == "default"
    assert len(created["spec"]["tolerations"]) == 2


def test_pod_or_account_may_want_no_token(over: verbs.Verbs, pod: JsonObject) -> None:
    account = {"metadata": {"name": "quiet", "namespace": "default"}, "automountServiceAccountToken": False}
    over.create(SERVICE_ACCOUNTS, account)
    pod["spec"]["serviceAccountName"] = "quiet"
    assert _token_volumes(over.create(PODS, pod).object["spec"]) == []
    loud = {**pod, "metadata": {"name": "loud", "namespace": "default"}}
    loud["spec"] = {**pod["spec"], "automountServiceAccountToken": True}
    assert len(_token_volumes(over.create(PODS, loud).object["spec"])) == 1


def test_own_mount_at_the_token_directory_wins(over: verbs.Verbs, pod: JsonObject) -> None:
    pod["spec"]["volumes"] = [{"name": "mine", "emptyDir": {}}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "mine", "mountPath": pods.TOKEN_DIRECTORY}]
    assert _token_volumes(over.create(PODS, pod).object["spec"]) == []


def test_unknown_service_account_is_forbidden(over: verbs.Verbs, pod: JsonObject) -> None:
    pod["spec"]["serviceAccountName"] = "nobody"
    with pytest.raises(ApiError, match='serviceaccount "nobody" not found') as refusal:
        over.create(PODS, pod)
    assert refusal.value.code == 403


def test_own_tolerations_are_not_doubled(over: verbs.Verbs, pod: JsonObject) -> None:
    pod["spec"]["tolerations"] = [{"operator": "Exists"}]
    assert over.create(PODS, pod).object["spec"]["tolerations"] == [{"operator": "Exists"}]


CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses")


def test_the_priority_is_that_of_the_class(over: verbs.Verbs, pod: JsonObject) -> None:
    body = {"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"}
    over.create(CLASSES, body)
    pod["spec"] |= {"priorityClassName": "high", "priority": 7}
    spec = over.create(PODS, pod).object["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")


def test_one_class_may_be_that_of_all(over: verbs.Verbs, pod: JsonObject) -> None:
    over.create(CLASSES, {"metadata": {"name": "usual"}, "value": 5, "globalDefault": True})
    spec = over.create(PODS, pod).object["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("usual", 5)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"priorityClassName": "none"}, "no PriorityClass with name none was found"),
        ({"runtimeClassName": "gvisor"}, 'pod rejected: RuntimeClass "gvisor" not found'),
    ],
)
def test_a_class_that_is_not_there_is_forbidden(
    over: verbs.Verbs, pod: JsonObject, fields: JsonObject, why: str
) -> None:
    pod["spec"] |= fields
    with pytest.raises(ApiError) as refusal:
        over.create(PODS, pod)
    assert (refusal.value.code, refusal.value.message) == (403, f'pods "web" is forbidden: {why}')


async def test_ephemeral_containers_join_through_their_subresource_alone(
    over: verbs.Verbs, pod: JsonObject
) -> None:
    created = over.create(PODS, pod).object
    look = {"name": "look", "image": "curl", "targetContainerName": "main"}
    patch = {"spec": {"ephemeralContainers": [look]}, "metadata": {"labels": {"app": "other"}}}
    with pytest.raises(ApiError, match="spec: Forbidden: pod updates may not change fields") as refused:
        await over.request_patch(PODS, "web", "default", patch, patch_type="strategic")
    assert refused.value.code == 422
    written = await over.request_patch(
        PODS, "web", "default", patch, patch_type="strategic", subresource="ephemeralcontainers"
    )
    (stored,) = written.object["spec"]["ephemeralContainers"]
    assert (stored["name"], stored["imagePullPolicy"]) == ("look", "Always")
    assert written.object["metadata"]["labels"] == {"app": "web"}
    # A client that sends what it once wrote means the rest of the pod.
    kept = await over.request_update(PODS, "web", "default", created | {"metadata": pod["metadata"]})
    assert [each["name"] for each in kept.object["spec"]["ephemeralContainers"]] == ["look"]


RUNTIME = {
    "metadata": {"name": "vm"},
    "handler": "runc",
    "overhead": {"podFixed": {"cpu": "250m"}},
    "scheduling": {"nodeSelector": {"vm": "yes"}, "tolerations": [{"key": "vm", "operator": "Exists"}]},
}


def test_a_runtime_class_says_what_it_costs_and_where_it_is(over: verbs.Verbs, pod: JsonObject) -> None:
    over.create(RUNTIME_CLASSES, RUNTIME)
    pod["spec"] |= {"runtimeClassName": "vm", "nodeSelector": {"disk": "fast"}}
    spec = over.create(PODS, pod).object["spec"]
    assert spec["overhead"] == {"cpu": "250m"}
    assert spec["nodeSelector"] == {"disk": "fast", "vm": "yes"}
    assert {"key": "vm", "operator": "Exists"} in spec["tolerations"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"overhead": {"cpu": "1"}},
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            {"runtimeClassName": "vm", "overhead": {"cpu": "1"}},
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            {"runtimeClassName": "vm", "nodeSelector": {"vm": "no"}},
            "conflict: runtimeClass.Scheduling.NodeSelector[vm] = yes; pod.Spec.NodeSelector[vm] = no",
        ),
    ],
)
def test_a_pod_does_not_contradict_its_runtime_class(
    over: verbs.Verbs, pod: JsonObject, fields: JsonObject, why: str
) -> None:
    over.create(RUNTIME_CLASSES, RUNTIME)
    pod["spec"] |= fields
    with pytest.raises(ApiError) as refusal:
        over.create(PODS, pod)
    assert (refusal.value.code, refusal.value.message) == (403, f'pods "web" is forbidden: {why}')

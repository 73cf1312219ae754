"""Deletion: grace, finalizers, propagation, preconditions."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import deleting, verbs

AT_ONCE = deleting.DeleteOptions(grace_s=0)


def _bound(over: verbs.Verbs, pod: JsonObject) -> JsonObject:
    over.create(kubernetes.PODS, pod)
    over.bind("default", "web", "bookmesh")
    return over.get(kubernetes.PODS, "web", "default").object


def test_plain_object_goes_at_once(over: verbs.Verbs) -> None:
    over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
    assert over.delete(kubernetes.CONFIG_MAPS, "a", "default").is_gone
    with pytest.raises(ApiError, match="not found"):
        over.delete(kubernetes.CONFIG_MAPS, "a", "default")


def test_pod_on_a_node_stays_until_the_node_ends_it(over: verbs.Verbs, pod: JsonObject) -> None:
    _bound(over, pod)
    deleted = over.delete(kubernetes.PODS, "web", "default")
    fields = deleted.object["metadata"]
    assert not deleted.is_gone
    assert fields["deletionTimestamp"] == "2026-01-01T00:00:30Z"
    assert fields["deletionGracePeriodSeconds"] == 30
    assert over.delete(kubernetes.PODS, "web", "default", options=AT_ONCE).is_gone


def test_own_grace_period_of_the_pod(over: verbs.Verbs, pod: JsonObject) -> None:
    pod["spec"]["terminationGracePeriodSeconds"] = 5
    _bound(over, pod)
    fields = over.delete(kubernetes.PODS, "web", "default").object["metadata"]
    assert fields["deletionGracePeriodSeconds"] == 5


def test_second_deletion_may_only_shorten_the_grace(over: verbs.Verbs, pod: JsonObject) -> None:
    _bound(over, pod)
    over.delete(kubernetes.PODS, "web", "default")
    version = over.store.version
    over.delete(kubernetes.PODS, "web", "default", options=deleting.DeleteOptions(grace_s=60))
    assert over.store.version == version
    shorter = over.delete(kubernetes.PODS, "web", "default", options=deleting.DeleteOptions(grace_s=1))
    assert shorter.object["metadata"]["deletionGracePeriodSeconds"] == 1


def test_pod_without_a_node_or_that_has_ended_goes_at_once(over: verbs.Verbs, pod: JsonObject) -> None:
    over.create(kubernetes.PODS, pod)
    assert over.delete(kubernetes.PODS, "web", "default").is_gone
    _bound(over, pod)
    status = {"status": {"phase": "Succeeded"}}
    over.patch(kubernetes.PODS, "web", "default", status, patch_type="merge", subresource="status")
    assert over.delete(kubernetes.PODS, "web", "default").is_gone


@pytest.mark.parametrize(
    ("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_propagation_is_a_finalizer(
    over: verbs.Verbs, deployment: JsonObject, policy: deleting.Propagation, finalizer: str
) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    options = deleting.DeleteOptions(propagation=policy)
    fields = over.delete(kubernetes.DEPLOYMENTS, "web", "default", options=options).object["metadata"]
    assert fields["finalizers"] == [finalizer]
    assert fields["generation"] == 2


def test_other_policy_replaces_the_first(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    for policy in ("Foreground", "Orphan"):
        options = deleting.parse_options({"propagationPolicy": policy})
        deleted = over.delete(kubernetes.DEPLOYMENTS, "web", "default", options=options)
    assert deleted.object["metadata"]["finalizers"] == ["orphan"]
    background = deleting.DeleteOptions(propagation="Background")
    assert over.delete(kubernetes.DEPLOYMENTS, "web", "default", options=background).is_gone


def test_preconditions(over: verbs.Verbs) -> None:
    place = {"name": "a", "namespace": "default"}
    fields = over.create(kubernetes.CONFIG_MAPS, {"metadata": place}).object["metadata"]
    begin = 'Operation cannot be fulfilled on ConfigMap "a": '
    for options, told in (
        (
            deleting.DeleteOptions(uid="other"),
            f"the UID in the precondition (other) does not match the UID in record ({fields['uid']}). "
            "The object might have been deleted and then recreated",
        ),
        (
            deleting.DeleteOptions(resource_version="1"),
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record "
            f"({fields['resourceVersion']}). The object might have been modified",
        ),
    ):
        with pytest.raises(ApiError) as refusal:
            over.delete(kubernetes.CONFIG_MAPS, "a", "default", options=options)
        assert (refusal.value.code, refusal.value.message) == (409, begin + told)


def test_dry_run_deletes_nothing(over: verbs.Verbs) -> None:
    over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
    options = deleting.DeleteOptions(dry_run=True)
    assert over.delete(kubernetes.CONFIG_MAPS, "a", "default", options=options).is_gone
    over.get(kubernetes.CONFIG_MAPS, "a", "default")
    held = {"name": "held", "namespace": "default", "finalizers": ["example.com/a"]}
    over.create(kubernetes.CONFIG_MAPS, {"metadata": held})
    assert not over.delete(kubernetes.CONFIG_MAPS, "held", "default", options=options).is_gone


def test_what_is_being_deleted_gets_no_more_finalizers(over: verbs.Verbs) -> None:
    held = {"name": "a", "namespace": "default", "finalizers": ["example.com/a", "example.com/b"]}
    over.create(kubernetes.CONFIG_MAPS, {"metadata": held})
    over.delete(kubernetes.CONFIG_MAPS, "a", "default")

    def patch(*finalizers: str) -> None:
        body = {"metadata": {"finalizers": list(finalizers)}}
        over.patch(kubernetes.CONFIG_MAPS, "a", "default", body, patch_type="merge")

    patch("example.com/a")
    with pytest.raises(ApiError) as refusal:
        patch("example.com/a", "example.com/c")
    assert refusal.value.message == (
        'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is '
        'being deleted, found new finalizers []string{"example.com/c"}'
    )


def test_namespace_stays_until_it_is_finalized(over: verbs.Verbs) -> None:
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop"}})
    deleted = over.delete(kubernetes.NAMESPACES, "shop").object
    assert deleted["status"]["phase"] == "Terminating"
    assert not over.delete(kubernetes.NAMESPACES, "shop").is_gone
    over.update(
        kubernetes.NAMESPACES,
        "shop",
        "",
        {**deleted, "spec": {}, "metadata": {"name": "shop"}},
        subresource="finalize",
    )
    with pytest.raises(ApiError, match="not found"):
        over.get(kubernetes.NAMESPACES, "shop")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, deleting.DeleteOptions()),
        ({"orphanDependents": True}, deleting.DeleteOptions(propagation="Orphan")),
        (
            {"preconditions": {"uid": "u", "resourceVersion": "3"}},
            deleting.DeleteOptions(uid="u", resource_version="3"),
        ),
        ({"gracePeriodSeconds": 0, "dryRun": ["All"]}, deleting.DeleteOptions(grace_s=0, dry_run=True)),
    ],
)
def test_options_are_read(body: JsonObject, expected: deleting.DeleteOptions) -> None:
    assert deleting.parse_options(body) == expected


@pytest.mark.parametrize("body", [{"propagationPolicy": "Never"}, {"gracePeriodSeconds": "soon"}])
def test_options_that_do_not_exist(body: JsonObject) -> None:
    with pytest.raises(ApiError):
        deleting.parse_options(body)

from __future__ import annotations

from typing import Any

from bookmesh.base import names
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import revisions


def deployment(image: str = "web:1", **more: Any) -> JsonObject:
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "uid-web", **more.pop("metadata", {})},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": image}]}},
        },
        **more,
    }


def replica_set(image: str, created: str, **annotations: str) -> JsonObject:
    built = revisions.build(deployment(image), replicas=1, revision=1)
    built["metadata"]["creationTimestamp"] = created
    built["metadata"]["annotations"].update(annotations)
    return built


def test_the_hash_is_ten_safe_characters_and_stands_in_name_and_labels() -> None:
    built = revisions.build(deployment(), replicas=1, revision=1)
    name, template_hash = revisions.name_for(deployment())
    assert len(template_hash) == 10
    assert set(template_hash) <= set(names.SAFE_ALPHABET)
    assert built["metadata"]["name"] == name == f"web-{template_hash}"
    assert built["spec"]["selector"]["matchLabels"]["pod-template-hash"] == template_hash
    assert built["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == template_hash


def test_a_collision_changes_the_hash() -> None:
    assert revisions.name_for(deployment()) != revisions.name_for(deployment(status={"collisionCount": 1}))


def test_building_does_not_change_the_deployment() -> None:
    given = deployment()
    revisions.build(given, replicas=1, revision=1)
    assert given == deployment()


def test_a_built_replica_set_has_the_template_of_its_deployment() -> None:
    assert revisions.has_template_of(revisions.build(deployment(), replicas=1, revision=1), deployment())
    assert not revisions.has_template_of(
        revisions.build(deployment(), replicas=1, revision=1), deployment("web:2")
    )


def test_a_creation_timestamp_of_null_makes_no_other_template() -> None:
    given = deployment()
    given["spec"]["template"]["metadata"]["creationTimestamp"] = None
    assert revisions.has_template_of(revisions.build(deployment(), replicas=1, revision=1), given)


def test_of_two_with_the_present_template_the_oldest_is_new() -> None:
    younger = replica_set("web:1", "2026-08-01T12:02:00Z")
    older = replica_set("web:1", "2026-08-01T12:01:00Z")
    history = revisions.history_of(deployment(), [younger, older])
    assert history.new is older
    assert history.old == (younger,)


def test_revisions_of_a_rollback_are_remembered() -> None:
    given = replica_set("web:1", "2026-08-01T12:01:00Z", **{revisions.REVISION_HISTORY: "1"})
    given["metadata"]["annotations"][revisions.REVISION] = "3"
    annotations = revisions.renewed(given, deployment(), 5)["metadata"]["annotations"]
    assert annotations[revisions.REVISION] == "5"
    assert annotations[revisions.REVISION_HISTORY] == "1,3"


def test_a_revision_never_goes_back() -> None:
    given = replica_set("web:1", "2026-08-01T12:01:00Z")
    given["metadata"]["annotations"][revisions.REVISION] = "7"
    assert revisions.renewed(given, deployment(), 2) is given


def test_a_broken_revision_counts_as_none() -> None:
    given = replica_set("web:1", "2026-08-01T12:01:00Z", **{revisions.REVISION: "x"})
    assert revisions.revision_of(given) == 0

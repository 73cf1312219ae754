"""Server-side apply: conflicts, force, removal, and moving over from client-side apply."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import nodes, schemas
from bookmesh.kube.schema.ownership import applying, field_sets, managers

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
NONE = applying.Applied({}, ())


@pytest.fixture
def node(loaded: schemas.Schemas) -> nodes.Node:
    return loaded.root("apps", "v1", "Deployment")


def deployment(
    *,
    image: str | None = "web:1",
    replicas: int | None = None,
    labels: dict[str, str] | None = None,
    **container: Any,
) -> JsonObject:
    own = {"name": "web", **container}
    if image:
        own["image"] = image
    spec: JsonObject = {"template": {"spec": {"containers": [own]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    fields: JsonObject = {"name": "web"}
    if labels is not None:
        fields["labels"] = labels
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": fields, "spec": spec}


def applied(
    node: nodes.Node,
    before: applying.Applied,
    wanted: JsonObject,
    *,
    by: str = "one",
    force: bool = False,
    now: str = LATE,
) -> applying.Applied:
    writer = managers.Writer(by, "Apply", "apps/v1")
    return applying.apply(
        node, before.object, wanted, writer=writer, entries=before.entries, force=force, now=now
    )


def updated(
    node: nodes.Node, before: applying.Applied, new: JsonObject, *, by: str, part: str = ""
) -> applying.Applied:
    writer = managers.Writer(by, "Update", "apps/v1", part)
    entries = managers.updated(before.entries, node, before.object, new, writer=writer, now=EARLY)
    return applying.Applied(new, entries)


def account(result: applying.Applied) -> dict[str, list[str]]:
    return {each.writer.manager: field_sets.paths(each.fields) for each in result.entries}


def container_of(result: applying.Applied) -> JsonObject:
    found: JsonObject = result.object["spec"]["template"]["spec"]["containers"][0]
    return found


def test_an_apply_owns_what_it_says(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(replicas=2))
    assert first.object == deployment(replicas=2)
    assert account(first) == {
        "one": [
            ".spec.replicas",
            '.spec.template.spec.containers[name="web"]',
            '.spec.template.spec.containers[name="web"].image',
            '.spec.template.spec.containers[name="web"].name',
        ]
    }


def test_what_an_applier_leaves_out_goes(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(labels={"a": "1", "b": "2"}, env=[{"name": "A", "value": "1"}]))
    second = applied(node, first, deployment(labels={"a": "1"}))
    assert second.object == deployment(labels={"a": "1"})
    third = applied(node, second, deployment())
    assert "labels" not in third.object["metadata"]


def test_what_somebody_else_owns_too_stays(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(labels={"a": "1", "b": "2"}))
    second = applied(
        node, first, {**deployment(image=None), "metadata": {"name": "web", "labels": {"b": "2"}}}, by="two"
    )
    third = applied(node, second, deployment(labels={"a": "1"}))
    assert third.object["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert ".metadata.labels.b" in account(third)["two"]


def test_what_others_put_beside_it_stays(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(labels={"a": "1"}))
    more = updated(node, first, deployment(labels={"a": "1", "c": "3"}, tty=True), by="edit")
    third = applied(node, more, deployment(labels={}))
    assert third.object["metadata"]["labels"] == {"c": "3"}
    assert container_of(third) == {"name": "web", "image": "web:1", "tty": True}


def test_another_value_for_a_field_of_somebody_else_is_a_conflict(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(replicas=2))
    scaled = updated(node, first, deployment(replicas=5), by="kubectl", part="scale")
    with pytest.raises(applying.ConflictError) as caught:
        applied(node, scaled, deployment(replicas=2))
    (conflict,) = caught.value.conflicts
    assert (conflict.path, conflict.owner.writer.manager, conflict.owner.writer.subresource) == (
        ".spec.replicas",
        "kubectl",
        "scale",
    )


def test_the_same_value_is_shared_without_a_conflict(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(replicas=2))
    second = applied(node, first, deployment(replicas=2), by="two")
    assert account(second)["one"] == account(second)["two"]
    with pytest.raises(applying.ConflictError) as caught:
        applied(node, second, deployment(replicas=3), by="two")
    assert [each.path for each in caught.value.conflicts] == [".spec.replicas"]


def test_force_takes_the_field(node: nodes.Node) -> None:
    scaled = updated(node, applied(node, NONE, deployment(replicas=2)), deployment(replicas=5), by="kubectl")
    forced = applied(node, scaled, deployment(replicas=2), force=True)
    assert forced.object["spec"]["replicas"] == 2
    assert "kubectl" not in account(forced)


def test_applying_the_same_again_changes_nothing(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(replicas=2), now=EARLY)
    assert applied(node, first, deployment(replicas=2), now=LATE) == first


def test_fields_of_before_the_first_apply_are_somebodys(node: nodes.Node) -> None:
    before = applying.Applied(deployment(replicas=1), ())
    with pytest.raises(applying.ConflictError) as caught:
        applied(node, before, deployment(replicas=2))
    assert caught.value.conflicts[0].owner.writer.manager == "before-first-apply"


def test_kubectl_moves_over_from_client_side_apply(node: nodes.Node) -> None:
    last = {**deployment(replicas=1), "metadata": {"name": "web", "annotations": {}}}
    live = {
        **deployment(replicas=1),
        "metadata": {"name": "web", "annotations": {applying.LAST_APPLIED: orjson.dumps(last).decode()}},
    }
    before = updated(node, NONE, live, by="kubectl-client-side-apply")
    wanted = {**deployment(replicas=3), "metadata": {"name": "web"}}
    moved = applied(node, before, wanted, by="kubectl")
    assert moved.object["spec"]["replicas"] == 3
    told = orjson.loads(moved.object["metadata"]["annotations"][applying.LAST_APPLIED])
    assert told["spec"]["replicas"] == 3
    with pytest.raises(applying.ConflictError):
        applied(node, before, wanted, by="somebody")


def test_an_emptied_object_of_others_stays(node: nodes.Node) -> None:
    first = applied(node, NONE, deployment(resources={"limits": {"cpu": "1"}}))
    other = updated(node, first, deployment(resources={"limits": {"cpu": "1", "memory": "1Gi"}}), by="edit")
    second = applied(node, other, deployment())
    assert container_of(second)["resources"] == {"limits": {"memory": "1Gi"}}

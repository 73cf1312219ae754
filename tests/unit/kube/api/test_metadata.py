"""Names, times, generations."""

from __future__ import annotations

import datetime
import re

from tests.unit.kube.api.conftest import NOW

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import metadata


def _created(fields: JsonObject, *, namespace: str = "n") -> JsonObject:
    obj = {"metadata": dict(fields)}
    metadata.prepare_create(obj, namespace=namespace, now=NOW, has_generation=True)
    return obj["metadata"]


def test_server_decides_identity_and_time() -> None:
    fields = _created(
        {"name": "a", "uid": "mine", "creationTimestamp": "1999-01-01T00:00:00Z", "selfLink": "/x"}
    )
    assert fields["uid"] != "mine"
    assert fields["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert (fields["generation"], fields["namespace"]) == (1, "n")
    assert "selfLink" not in fields


def test_generated_name_has_a_suffix_and_fits() -> None:
    assert re.fullmatch("web-[a-z0-9]{5}", _created({"generateName": "web-"})["name"])
    assert len(_created({"generateName": "x" * 80})["name"]) == 63
    assert _created({"generateName": "web-", "name": "own"})["name"] == "own"


def test_cluster_scoped_object_has_no_namespace() -> None:
    assert "namespace" not in _created({"name": "a", "namespace": "x"}, namespace="")


def test_update_keeps_what_only_the_server_sets() -> None:
    old = {"metadata": {"name": "a", "uid": "1", "generation": 4, "creationTimestamp": "t"}}
    new = {"metadata": {"name": "a", "uid": "", "deletionTimestamp": "x", "labels": {}}}
    metadata.prepare_update(new, old)
    assert new["metadata"] == old["metadata"]


def test_specification_change_ignores_metadata_and_status() -> None:
    old = {"metadata": {"a": 1}, "spec": {"x": 1}, "status": {}}
    status_only = {"metadata": {"a": 2}, "spec": {"x": 1}, "status": {"y": 1}}
    assert not metadata.is_specification_changed(status_only, old, has_status=True)
    assert metadata.is_specification_changed(status_only, old, has_status=False)
    assert metadata.is_specification_changed({**old, "spec": {}}, old, has_status=True)


def test_timestamp_is_in_utc_seconds() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2026, 1, 1, 2, 0, 0, 999, tzinfo=zone)
    assert metadata.timestamp(moment) == "2026-01-01T00:00:00Z"

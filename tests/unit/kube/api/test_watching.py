"""What watchers see of a change, and how it is written."""

from __future__ import annotations

import orjson
import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import CONFIG_MAPS, JsonObject
from bookmesh.kube.api import negotiation, selectors, verbs, watching
from bookmesh.kube.store import records

MATCHES = selectors.parse("app=web", "", kind="ConfigMap")


def _stored(version: int, app: str) -> records.Stored:
    obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"app": app}, "resourceVersion": str(version)},
    }
    return records.Stored(records.GroupResource("", "configmaps"), "n", "a", obj, orjson.dumps(obj), version)


@pytest.mark.parametrize(
    ("change_type", "before", "after", "expected"),
    [
        ("ADDED", None, "web", "ADDED"),
        ("ADDED", None, "db", None),
        ("MODIFIED", "web", "web", "MODIFIED"),
        ("MODIFIED", "db", "web", "ADDED"),
        ("MODIFIED", "web", "db", "DELETED"),
        ("MODIFIED", "db", "db", None),
        ("DELETED", "web", "web", "DELETED"),
        ("DELETED", "db", "db", None),
    ],
)
def test_selected(
    change_type: records.ChangeType, before: str | None, after: str, expected: str | None
) -> None:
    change = records.Change(change_type, _stored(2, after), _stored(1, before) if before else None)
    shown = watching.selected(change, MATCHES)
    assert (shown[0] if shown else None) == expected
    assert watching.selected(change, None) == (change_type, change.stored)


def test_object_that_leaves_is_shown_as_it_was_at_the_new_version() -> None:
    shown = watching.selected(records.Change("MODIFIED", _stored(2, "db"), _stored(1, "web")), MATCHES)
    assert shown
    fields = orjson.loads(shown[1].raw)["metadata"]
    assert (fields["labels"]["app"], fields["resourceVersion"]) == ("web", "2")


def _encoder(over: verbs.Verbs, form: negotiation.Form, include: str = "Metadata") -> watching.Encoder:
    wanted = negotiation.Representation(form)
    return watching.Encoder(over.kind_of(CONFIG_MAPS), wanted, include=include, over=over)


def _event(line: bytes) -> JsonObject:
    assert line.endswith(b"\n")
    event: JsonObject = orjson.loads(line)
    return event


def test_plain_events(over: verbs.Verbs) -> None:
    encoder = _encoder(over, "object")
    stored = _stored(4, "web")
    assert _event(encoder.event("ADDED", stored)) == {"type": "ADDED", "object": stored.object}
    mark = _event(encoder.bookmark(9, ends_initial=True))
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["object"]["metadata"]["resourceVersion"] == "9"


def test_tables_define_their_columns_once(over: verbs.Verbs) -> None:
    encoder = _encoder(over, "table", "Object")
    first, second = (_event(encoder.event("ADDED", _stored(4, "web")))["object"] for _ in range(2))
    assert first["columnDefinitions"]
    assert second["columnDefinitions"] is None
    assert second["rows"][0]["object"]["kind"] == "ConfigMap"
    assert _event(encoder.bookmark(9))["object"]["rows"] == []
    (row,) = _event(encoder.bookmark(9, ends_initial=True))["object"]["rows"]
    assert "annotations" in row["object"]["metadata"]


def test_metadata_alone(over: verbs.Verbs) -> None:
    event = _event(_encoder(over, "metadata").event("ADDED", _stored(4, "web")))
    assert event["object"].keys() == {"kind", "apiVersion", "metadata"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", watching.WatchOptions(None, False, False, 3600)),
        ("resourceVersion=0", watching.WatchOptions(None, False, False, 3600)),
        ("resourceVersion=7&allowWatchBookmarks=true", watching.WatchOptions(7, False, True, 3600)),
        ("resourceVersion=7&sendInitialEvents=true", watching.WatchOptions(None, True, False, 3600)),
        ("timeoutSeconds=5", watching.WatchOptions(None, False, False, 5)),
    ],
)
async def test_options(query: str, expected: watching.WatchOptions) -> None:
    assert watching.parse_options(request_for("GET", f"/api/v1/pods?watch=1&{query}")) == expected

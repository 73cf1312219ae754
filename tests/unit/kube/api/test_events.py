"""What watchers see of a change, how it is written, and that it is written once."""

from __future__ import annotations

import dataclasses
import datetime

import orjson
import pytest

from bookmesh.base.kubernetes import CONFIG_MAPS, JsonObject
from bookmesh.kube.api import events, negotiation, selectors, verbs
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
def test_transition(
    change_type: records.ChangeType, before: str | None, after: str, expected: str | None
) -> None:
    change = records.Change(change_type, _stored(2, after), _stored(1, before) if before else None)
    assert events.transition(change, MATCHES) == expected
    assert events.transition(change, None) == change_type


def test_object_that_leaves_is_shown_as_it_was_at_the_new_version(over: verbs.Verbs) -> None:
    change = records.Change("MODIFIED", _stored(2, "db"), _stored(1, "web"))
    event = _event(_form(over, "object").change(change, "DELETED"))
    fields = event["object"]["metadata"]
    assert (event["type"], fields["labels"]["app"], fields["resourceVersion"]) == ("DELETED", "web", "2")


def _form(over: verbs.Verbs, form: negotiation.Form, include: str = "Metadata") -> events.Form:
    wanted = negotiation.Representation(form)
    return events.Events(over.clock).form(over.kind_of(CONFIG_MAPS), wanted, include=include)


def _event(line: bytes) -> JsonObject:
    assert line.endswith(b"\n")
    event: JsonObject = orjson.loads(line)
    return event


def test_plain_events(over: verbs.Verbs) -> None:
    form = _form(over, "object")
    stored = _stored(4, "web")
    assert _event(form.state("ADDED", stored)) == {"type": "ADDED", "object": stored.object}
    mark = _event(form.bookmark(9, ends_initial=True))
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["object"]["metadata"]["resourceVersion"] == "9"


def test_tables_define_their_columns_once(over: verbs.Verbs) -> None:
    form = _form(over, "table", "Object")
    first, second = (
        _event(form.state("ADDED", _stored(4, "web"), is_first=is_first))["object"]
        for is_first in (True, False)
    )
    assert first["columnDefinitions"]
    assert second["columnDefinitions"] is None
    assert second["rows"][0]["object"]["kind"] == "ConfigMap"
    assert _event(form.bookmark(9))["object"]["rows"] == []
    (row,) = _event(form.bookmark(9, ends_initial=True))["object"]["rows"]
    assert "annotations" in row["object"]["metadata"]


def test_metadata_alone(over: verbs.Verbs) -> None:
    event = _event(_form(over, "metadata").state("ADDED", _stored(4, "web")))
    assert event["object"].keys() == {"kind", "apiVersion", "metadata"}


CHANGE = records.Change("MODIFIED", _stored(2, "web"), _stored(1, "web"))


@pytest.mark.parametrize("form", ["object", "table", "metadata"])
def test_watchers_who_see_the_same_get_the_same_bytes(over: verbs.Verbs, form: negotiation.Form) -> None:
    told = events.Events(over.clock)
    wanted = negotiation.Representation(form)
    one, other = (told.form(over.kind_of(CONFIG_MAPS), wanted) for _ in range(2))
    assert one.change(CHANGE, "MODIFIED") is other.change(CHANGE, "MODIFIED")


def test_what_watchers_see_differently_is_not_shared(over: verbs.Verbs) -> None:
    told = events.Events(over.clock)
    kind = over.kind_of(CONFIG_MAPS)
    seen = [
        told.form(kind, negotiation.Representation(form), include=include).change(
            CHANGE, seen_as, is_first=first
        )
        for form, include, seen_as, first in (
            ("object", "Metadata", "MODIFIED", False),
            ("object", "Metadata", "ADDED", False),
            ("object", "Metadata", "DELETED", False),
            ("metadata", "Metadata", "MODIFIED", False),
            ("table", "Metadata", "MODIFIED", False),
            ("table", "Object", "MODIFIED", False),
            ("table", "Object", "MODIFIED", True),
        )
    ]
    assert len(set(seen)) == len(seen)


def test_a_row_that_is_told_later_has_a_later_age(over: verbs.Verbs) -> None:
    now = over.clock()
    told = events.Events(lambda: now)
    form = told.form(over.kind_of(CONFIG_MAPS), negotiation.Representation("table"))
    made = {**CHANGE.stored.object["metadata"], "creationTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    stored = dataclasses.replace(CHANGE.stored, object={**CHANGE.stored.object, "metadata": made})
    change = records.Change("ADDED", stored, None)
    ages = []
    for passed_s in (0, 5):
        now += datetime.timedelta(seconds=passed_s)
        ages.append(_event(form.change(change, "ADDED"))["object"]["rows"][0]["cells"][-1])
    assert ages == ["0s", "5s"]


def test_only_the_latest_events_are_kept(over: verbs.Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    told = events.Events(over.clock)
    form = told.form(over.kind_of(CONFIG_MAPS), negotiation.Representation())
    first, *others = (records.Change("ADDED", _stored(version, "web"), None) for version in range(1, 60))
    monkeypatch.setattr(events, "_KEPT_BYTES", 10 * len(form.change(first, "ADDED")))
    line = form.change(first, "ADDED")
    for change in others:
        form.change(change, "ADDED")
    assert form.change(others[-1], "ADDED") is form.change(others[-1], "ADDED")
    assert form.change(first, "ADDED") is not line
    assert told._bytes == sum(map(len, told._encoded.values())) <= events._KEPT_BYTES

"""The account after writes."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema import nodes, schemas
from bookmesh.kube.schema.ownership import field_sets, managers

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


@pytest.fixture
def node(loaded: schemas.Schemas) -> nodes.Node:
    return loaded.root("", "v1", "ConfigMap")


def config(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "uid": "u"}, "data": data}


def by(name: str) -> managers.Writer:
    return managers.Writer(name, "Update", "v1")


def account(entries: managers.Entries) -> dict[str, list[str]]:
    return {each.writer.manager: field_sets.paths(each.fields) for each in entries}


def test_who_creates_owns_everything_but_the_identity(node: nodes.Node) -> None:
    entries = managers.updated((), node, {}, config(a="1"), writer=by("one"), now=EARLY)
    assert account(entries) == {"one": [".data.a"]}


def test_who_changes_a_field_takes_it_over(node: nodes.Node) -> None:
    first = managers.updated((), node, {}, config(a="1", b="1"), writer=by("one"), now=EARLY)
    second = managers.updated(
        first, node, config(a="1", b="1"), config(a="2", b="1", c="3"), writer=by("two"), now=LATE
    )
    assert account(second) == {"one": [".data.b"], "two": [".data.a", ".data.c"]}


def test_who_changes_more_keeps_what_it_had(node: nodes.Node) -> None:
    first = managers.updated((), node, {}, config(a="1"), writer=by("one"), now=EARLY)
    second = managers.updated(first, node, config(a="1"), config(a="1", b="2"), writer=by("one"), now=LATE)
    assert account(second) == {"one": [".data.a", ".data.b"]}
    assert second[0].time == LATE


def test_removed_fields_belong_to_nobody(node: nodes.Node) -> None:
    first = managers.updated((), node, {}, config(a="1", b="1"), writer=by("one"), now=EARLY)
    second = managers.updated(first, node, config(a="1", b="1"), config(a="1"), writer=by("two"), now=LATE)
    assert account(second) == {"one": [".data.a"]}


def test_a_write_without_a_change_changes_no_account(node: nodes.Node) -> None:
    first = managers.updated((), node, {}, config(a="1"), writer=by("one"), now=EARLY)
    assert managers.updated(first, node, config(a="1"), config(a="1"), writer=by("two"), now=LATE) is first


def test_too_many_updaters_are_merged_oldest_first(node: nodes.Node) -> None:
    entries: managers.Entries = ()
    data: dict[str, str] = {}
    for number in range(12):
        before, data = dict(data), {**data, f"k{number:02}": "v"}
        now = f"2026-01-01T00:00:{number:02}Z"
        old = config(**before) if number else {}
        entries = managers.updated(entries, node, old, config(**data), writer=by(f"m{number:02}"), now=now)
    found = account(entries)
    assert len(found) == 10
    assert found["ancient-changes"] == [".data.k00", ".data.k01", ".data.k02"]
    assert found["m11"] == [".data.k11"]


def test_entries_are_read_back_as_they_were_written(node: nodes.Node) -> None:
    writers = (by("b"), managers.Writer("a", "Apply", "v1", "status"), by("a"))
    entries = tuple(managers.Entry(writer, {"f:data": {"f:x": {}}}, EARLY) for writer in writers)
    written = managers.format_entries(entries)
    assert [(each["operation"], each["manager"]) for each in written] == [
        ("Apply", "a"),
        ("Update", "a"),
        ("Update", "b"),
    ]
    assert managers.parse(written) == (entries[1], entries[2], entries[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operation": "Delete"}, "operation must be"),
        ({"apiVersion": ""}, "apiVersion must not be empty"),
        ({"fieldsType": "FieldsV2"}, 'invalid fieldsType "FieldsV2"'),
        ({"fieldsV1": {"data": {}}}, "invalid fieldsV1"),
    ],
)
def test_malformed_entries_are_refused(change: dict[str, Any], message: str) -> None:
    entry = {
        "manager": "a",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    }
    with pytest.raises(managers.MalformedError, match=message):
        managers.parse([{**entry, **change}])


@pytest.mark.parametrize(
    ("managed", "is_reset"), [([], True), ([{}], True), (None, False), ([{"manager": "a"}], False)]
)
def test_an_empty_account_is_a_wish_to_forget(managed: Any, is_reset: bool) -> None:
    assert managers.is_reset(managed) is is_reset

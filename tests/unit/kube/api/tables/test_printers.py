"""Tables: which printer, which columns, what rows carry."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import NOW

from bookmesh.base.kubernetes import CUSTOM_RESOURCE_DEFINITIONS, JsonObject, Resource
from bookmesh.kube.api import verbs
from bookmesh.kube.api.tables import printers
from bookmesh.kube.schema import kinds

OBJ = {
    "apiVersion": "example.com/v1",
    "kind": "Route",
    "metadata": {"name": "a"},
    "spec": {"n": 3, "b": True, "l": [1]},
}


def _kind(over: verbs.Verbs, definition: JsonObject, *columns: JsonObject) -> kinds.Kind:
    for version in definition["spec"]["versions"]:
        version["additionalPrinterColumns"] = list(columns)
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    return over.kind_of(Resource("example.com", "v1", "routes"))


def test_every_served_kind_has_as_many_cells_as_columns() -> None:
    for kind in kinds.Kinds().all():
        printer = printers.printer_for(kind)
        assert len(printer.row({"metadata": {"name": "a"}}, NOW)) == len(printer.columns), kind.kind


def test_custom_columns_by_type(over: verbs.Verbs, definition: JsonObject) -> None:
    described = [
        {"name": "N", "type": "integer", "jsonPath": ".spec.n"},
        {"name": "B", "type": "boolean", "jsonPath": ".spec.b"},
        {"name": "L", "type": "string", "jsonPath": ".spec.l"},
        {"name": "S", "type": "string", "jsonPath": ".spec.b", "priority": 1},
        {"name": "Missing", "type": "string", "jsonPath": ".spec.x"},
        {"name": "Wrong", "type": "integer", "jsonPath": ".spec.b"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    printer = printers.printer_for(_kind(over, definition, *described))
    assert [column.name for column in printer.columns][:2] == ["Name", "N"]
    assert printer.row(OBJ, NOW) == ["a", 3, True, "[1]", "true", None, None, None]


def test_custom_kind_without_columns_shows_its_age(over: verbs.Verbs, definition: JsonObject) -> None:
    printer = printers.printer_for(_kind(over, definition))
    assert [column.name for column in printer.columns] == ["Name", "Age"]


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (
            "Metadata",
            {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a"}},
        ),
        ("Object", OBJ),
        ("None", None),
    ],
)
def test_rows_carry_what_was_asked_for(
    over: verbs.Verbs, definition: JsonObject, include: str, expected: JsonObject | None
) -> None:
    kind = _kind(over, definition)
    table = printers.build_table(kind, [OBJ], metadata={}, now=NOW, include=include)
    assert table["rows"][0].get("object") == expected


def test_later_watch_events_have_no_column_definitions(over: verbs.Verbs, definition: JsonObject) -> None:
    kind = _kind(over, definition)
    assert printers.build_table(kind, [], metadata={}, now=NOW)["columnDefinitions"][0]["format"] == "name"
    assert printers.build_table(kind, [], metadata={}, now=NOW, is_first=False)["columnDefinitions"] is None

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.release import contracts
from bookmesh.release.contracts import ReleaseId

PAGE = ReleaseId("shop", "productpage")


def service(requires: str) -> dict[str, Any]:
    metadata = {"name": "productpage", "annotations": {contracts.REQUIRES: requires}}
    return {"kind": "Service", "metadata": metadata, "spec": {}}


def deployment(track: str, provides: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"version": track}, "annotations": {contracts.PROVIDES: provides}}}
    return {"kind": "Deployment", "metadata": {"name": f"reviews-{track}"}, "spec": {"template": template}}


def test_requirements_are_read_once_each_and_in_order() -> None:
    text = (
        '[{"release":"reviews","contract":"reviews-api","range":">=2"},'
        '{"release":"db","namespace":"data","contract":"sql","range":"1"}]'
    )
    declared = contracts.read(PAGE, [service(text), service(text)])
    assert [str(need) for need in declared.requires] == ["reviews-api >=2 of reviews", "sql 1 of db"]
    assert [need.release for need in declared.requires] == [
        ReleaseId("shop", "reviews"),
        ReleaseId("data", "db"),
    ]


def test_contracts_are_read_by_track() -> None:
    declared = contracts.read(PAGE, [deployment("v1", '{"a":"1"}'), deployment("v2", '{"a":"2.1","b":"1"}')])
    assert declared.provides == {"v1": {"a": (1, 0, 0)}, "v2": {"a": (2, 1, 0), "b": (1, 0, 0)}}


def test_objects_without_annotations_declare_nothing() -> None:
    bare = {"kind": "Service", "metadata": {"name": "x"}, "spec": {}}
    assert contracts.read(PAGE, [bare]) == contracts.Declared(PAGE)


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (service("{"), "not JSON"),
        (service("{}"), "a list is expected"),
        (service('["reviews"]'), "each entry needs release, contract and range"),
        (service('[{"release":"reviews","contract":"a"}]'), "each entry needs"),
        (service('[{"release":"reviews","contract":"a","range":"new"}]'), "'new' is no"),
        (deployment("v1", "[]"), "a map is expected"),
        (deployment("v1", '{"a":"latest"}'), "'latest' is no version"),
    ],
)
def test_a_wrong_annotation_is_told_with_its_object(obj: dict[str, Any], words: str) -> None:
    with pytest.raises(contracts.DeclarationError) as error:
        contracts.read(PAGE, [obj])
    assert words in str(error.value)
    assert obj["metadata"]["name"] in str(error.value)

"""Metadata rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Causes = Callable[..., list[tuple[str, str]]]


def config_map(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **metadata}}


def test_ordinary_metadata_is_fine(causes_of: Causes) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}
    good = config_map(
        labels={"a.b/c": "d"},
        annotations={"x/Y": "any text\n"},
        finalizers=["a.b/c"],
        ownerReferences=[owner],
    )
    assert causes_of(good) == []


@pytest.mark.parametrize(
    ("metadata", "field", "message"),
    [
        ({"name": ""}, "metadata.name", "Required value: name or generateName is required"),
        (
            {"name": "A"},
            "metadata.name",
            'Invalid value: "A": a lowercase RFC 1123 subdomain must consist of',
        ),
        ({"labels": {"a b": "c"}}, "metadata.labels", 'Invalid value: "a b": name part must consist of'),
        ({"annotations": {"a/b/c": ""}}, "metadata.annotations", 'Invalid value: "a/b/c"'),
        (
            {"annotations": {"a": "x" * 270_000}},
            "metadata.annotations",
            "Too long: may not be more than 262144 bytes",
        ),
        ({"finalizers": ["a b"]}, "metadata.finalizers", 'Invalid value: "a b"'),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}]},
            "metadata.ownerReferences[0].uid",
            'Invalid value: "": uid must not be empty',
        ),
    ],
)
def test_bad_metadata_is_refused(
    causes_of: Causes, metadata: dict[str, Any], field: str, message: str
) -> None:
    found = causes_of(config_map(**metadata))
    assert [each for each, _ in found] == [field]
    assert found[0][1].startswith(message)


def test_one_controller_at_most(causes_of: Causes) -> None:
    owners = [
        {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": True} for name in "ab"
    ]
    assert [field for field, _ in causes_of(config_map(ownerReferences=owners))] == [
        "metadata.ownerReferences"
    ]


def test_names_of_namespaces_and_services_are_labels(causes_of: Causes) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a.b"}}
    assert [field for field, _ in causes_of(namespace)] == ["metadata.name"]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "1a"},
        "spec": {"ports": [{"port": 80}]},
    }
    assert causes_of(service) == []
    service["metadata"] = {"name": "a.b"}
    assert causes_of(service)[0][1].startswith(
        'Invalid value: "a.b": a lowercase RFC 1123 label must consist of'
    )

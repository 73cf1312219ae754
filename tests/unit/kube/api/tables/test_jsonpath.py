"""The JSONPath of printer columns."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.api.tables import jsonpath

OBJ = {
    "metadata": {"labels": {"a.b/c": "label"}},
    "spec": {"hosts": ["one", "two"], "servers": [{"port": {"number": 80}}, {"port": {"number": 81}}]},
    "status": {"conditions": [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}]},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".spec.hosts", [["one", "two"]]),
        (".spec.hosts[0]", ["one"]),
        (".spec.hosts[-1]", ["two"]),
        (".spec.hosts[5]", []),
        (".spec.hosts[*]", ["one", "two"]),
        (".spec.servers[*].port.number", [80, 81]),
        ("{.spec.hosts[0]}", ["one"]),
        ("$.spec.hosts[1]", ["two"]),
        (".metadata.labels['a.b/c']", ["label"]),
        (r".metadata.labels.a\.b/c", ["label"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type == 'None')].status", []),
        (".spec.nothing.at.all", []),
        (".spec..hosts", []),
        (".spec.hosts.x", []),
    ],
)
def test_find(path: str, expected: list[Any]) -> None:
    assert jsonpath.find(OBJ, path) == expected

"""WorkloadGroup: accepted, and said to have no effect."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import parsing


def findings(**spec: Any) -> list[tuple[str, str]]:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadGroup"}
    parsed = parsing.parse({**about, "metadata": {"name": "it"}, "spec": spec})
    return [(finding.code, finding.where) for finding in parsed.findings]


def test_a_whole_group_is_accepted_without_effect() -> None:
    probe = {
        "periodSeconds": 5,
        "httpGet": {"port": 80, "path": "/", "httpHeaders": [{"name": "a", "value": "b"}]},
    }
    template = {"serviceAccount": "machine", "ports": {"http": 8080}}
    metadata = {"labels": {"app": "machine"}, "annotations": {"a": "b"}}
    assert findings(template=template, metadata=metadata, probe=probe) == [("BM0205", "spec")]


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({}, "spec"),
        ({"template": {}, "probe": {"httpGet": {"port": 0}}}, "spec.probe.httpGet.port"),
        ({"template": {}, "probe": {"tcpSocket": {"port": 1}, "exec": {"command": ["x"]}}}, "spec.probe"),
    ],
)
def test_mistakes_are_named_with_their_place(spec: dict[str, Any], where: str) -> None:
    assert findings(**spec) == [("BM0201", where)]

"""ProxyConfig: settings of proxies."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing


def findings(**spec: Any) -> list[tuple[str, str]]:
    about = {"apiVersion": "networking.istio.io/v1beta1", "kind": "ProxyConfig"}
    parsed = parsing.parse({**about, "metadata": {"name": "it"}, "spec": spec})
    return [(finding.code, finding.where) for finding in parsed.findings]


def test_all_fields_are_acted_on() -> None:
    assert findings(environmentVariables={"A": "b"}, image={"imageType": "debug"}, concurrency=2) == []


def test_mistakes_are_named_with_their_place() -> None:
    assert findings(image={"imageType": "tiny"}) == [("BM0201", "spec.image.imageType")]
    assert findings(concurrency=-1) == [("BM0201", "spec.concurrency")]
    assert findings(environmentVariables={"A": 1}) == [("BM0201", "spec.environmentVariables[...]")]

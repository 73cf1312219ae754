from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import payloads
from bookmesh.kube.node.payloads import PayloadFile
from bookmesh.kube.node.sources import SourceError, Sources

SOURCES = Sources(
    namespace="default",
    config_maps={"settings": {"data": {"a": "1", "b": "2"}}},
    secrets={"login": {"data": {"user": "amFzb24="}}},
)


def build(volume: dict[str, Any]) -> payloads.Payload:
    pod = fakes.pod()
    pod["metadata"]["labels"] = {"app": "web"}
    return payloads.build_payload(
        volume,
        pod=pod,
        sources=SOURCES,
        token_for=lambda source: f"token for {source.get('audience', 'api')}",
        allocatable={"cpu": "2"},
    )


@pytest.mark.parametrize(
    ("volume", "payload"),
    [
        pytest.param(
            {"configMap": {"name": "settings"}},
            {"a": PayloadFile(b"1", 0o644), "b": PayloadFile(b"2", 0o644)},
            id="config map",
        ),
        pytest.param(
            {
                "configMap": {
                    "name": "settings",
                    "defaultMode": 0o400,
                    "items": [{"key": "b", "path": "deep/b"}],
                }
            },
            {"deep/b": PayloadFile(b"2", 0o400)},
            id="chosen items",
        ),
        pytest.param(
            {"configMap": {"name": "settings", "items": [{"key": "a", "path": "a", "mode": 0o755}]}},
            {"a": PayloadFile(b"1", 0o755)},
            id="mode of an item",
        ),
        pytest.param(
            {"secret": {"secretName": "login"}}, {"user": PayloadFile(b"jason", 0o644)}, id="secret"
        ),
        pytest.param({"secret": {"secretName": "x", "optional": True}}, {}, id="optional secret"),
        pytest.param(
            {"configMap": {"name": "settings", "optional": True, "items": [{"key": "x", "path": "x"}]}},
            {},
            id="optional item",
        ),
        pytest.param(
            {
                "downwardAPI": {
                    "items": [
                        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                        {"path": "cpu", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}},
                    ]
                }
            },
            {"labels": PayloadFile(b'app="web"', 0o644), "cpu": PayloadFile(b"2", 0o644)},
            id="downward API",
        ),
        pytest.param(
            {
                "projected": {
                    "defaultMode": 0o440,
                    "sources": [
                        {"serviceAccountToken": {"path": "token", "audience": "istio-ca"}},
                        {"configMap": {"name": "settings", "items": [{"key": "a", "path": "ca.crt"}]}},
                        {"secret": {"name": "login"}},
                        {
                            "downwardAPI": {
                                "items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]
                            }
                        },
                    ],
                }
            },
            {
                "token": PayloadFile(b"token for istio-ca", 0o440),
                "ca.crt": PayloadFile(b"1", 0o440),
                "user": PayloadFile(b"jason", 0o440),
                "n": PayloadFile(b"web", 0o440),
            },
            id="projected",
        ),
    ],
)
def test_payload(volume: dict[str, Any], payload: payloads.Payload) -> None:
    assert build({"name": "v", **volume}) == payload


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "x"}}, 'configmap "x" not found'),
        ({"secret": {"secretName": "x"}}, 'secret "x" not found'),
        (
            {"configMap": {"name": "settings", "items": [{"key": "x", "path": "x"}]}},
            "references non-existent config key: x",
        ),
        (
            {"secret": {"secretName": "login", "items": [{"key": "x", "path": "x"}]}},
            "references non-existent secret key: x",
        ),
        (
            {"configMap": {"name": "settings", "items": [{"key": "a", "path": "../a"}]}},
            "invalid path in volume: ../a",
        ),
        (
            {"configMap": {"name": "settings", "items": [{"key": "a", "path": "/a"}]}},
            "invalid path in volume: /a",
        ),
        (
            {"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "spec.x"}}]}},
            "unsupported fieldPath: spec.x",
        ),
        (
            {"projected": {"sources": [{"clusterTrustBundle": {"path": "x"}}]}},
            "unsupported projected volume source: clusterTrustBundle",
        ),
    ],
)
def test_what_is_missing_is_named(volume: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as raised:
        build({"name": "v", **volume})
    assert str(raised.value) == message

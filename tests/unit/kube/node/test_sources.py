from __future__ import annotations

import base64

from tests.unit.kube.node import fakes

from bookmesh.kube.node import sources


def test_every_reference_of_a_pod_is_found() -> None:
    pod = fakes.pod(
        {
            "name": "c",
            "envFrom": [{"configMapRef": {"name": "from-1"}}, {"secretRef": {"name": "from-2"}}],
            "env": [
                {"name": "A", "value": "x"},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "key-1", "key": "k"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "key-2", "key": "k"}}},
            ],
        },
        initContainers=[{"name": "i", "envFrom": [{"configMapRef": {"name": "init"}}]}],
        volumes=[
            {"name": "1", "configMap": {"name": "volume-1"}},
            {"name": "2", "secret": {"secretName": "volume-2"}},
            {
                "name": "3",
                "projected": {
                    "sources": [{"configMap": {"name": "projected-1"}}, {"secret": {"name": "projected-2"}}]
                },
            },
            {"name": "4", "emptyDir": {}},
        ],
    )
    assert sources.references_of(pod) == sources.References(
        config_maps=frozenset({"from-1", "key-1", "init", "volume-1", "projected-1"}),
        secrets=frozenset({"from-2", "key-2", "volume-2", "projected-2"}),
    )


def test_data_is_decoded_and_absent_objects_are_none() -> None:
    encoded = base64.b64encode(b"\x00\xff").decode()
    found = sources.Sources(
        namespace="default",
        config_maps={"m": {"data": {"text": "ä"}, "binaryData": {"raw": encoded}}, "empty": {}},
        secrets={"s": {"data": {"key": encoded}}},
    )
    assert found.config_map_data("m") == {"text": "ä".encode(), "raw": b"\x00\xff"}
    assert found.config_map_data("empty") == {}
    assert found.secret_data("s") == {"key": b"\x00\xff"}
    assert found.config_map_data("x") is None
    assert found.secret_data("x") is None

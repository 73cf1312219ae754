"""Rows of core kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.kube.api.conftest import NOW

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns, core

METADATA = {"name": "a", "creationTimestamp": "2025-12-31T23:59:55Z"}


def _cells(row: Callable[..., list[Any]], shown: tuple[columns.Column, ...], **obj: Any) -> list[Any]:
    cells = row({"metadata": {**METADATA, **obj.pop("fields", {})}, **obj}, NOW)
    assert len(cells) == len(shown)
    return cells


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        (
            {"type": "ClusterIP", "clusterIP": "10.96.1.1", "ports": [{"port": 80}], "selector": {"a": "b"}},
            {},
            ["ClusterIP", "10.96.1.1", "<none>", "80/TCP", "5s", "a=b"],
        ),
        (
            {
                "type": "LoadBalancer",
                "clusterIP": "c",
                "ports": [{"port": 80, "nodePort": 30080, "protocol": "UDP"}],
            },
            {},
            ["LoadBalancer", "c", "<pending>", "80:30080/UDP", "5s", "<none>"],
        ),
        (
            {"type": "LoadBalancer", "clusterIP": "c"},
            {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}, {"hostname": "h"}]}},
            ["LoadBalancer", "c", "127.97.0.1,h", "<none>", "5s", "<none>"],
        ),
        (
            {"type": "ExternalName", "externalName": "example.com"},
            {},
            ["ExternalName", "<none>", "example.com", "<none>", "5s", "<none>"],
        ),
    ],
)
def test_service(spec: JsonObject, status: JsonObject, expected: list[str]) -> None:
    assert _cells(core.service_row, core.SERVICE_COLUMNS, spec=spec, status=status)[1:] == expected


def test_node() -> None:
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "127.97.0.254"}],
        "nodeInfo": {
            "kubeletVersion": "v1",
            "osImage": "Linux",
            "kernelVersion": "6",
            "containerRuntimeVersion": "b://1",
        },
    }
    labels = {"labels": {"node-role.kubernetes.io/control-plane": ""}}
    spec = {"unschedulable": True}
    cells = _cells(core.node_row, core.NODE_COLUMNS, fields=labels, spec=spec, status=status)
    assert cells[1:] == [
        *("Ready,SchedulingDisabled", "control-plane", "5s", "v1", "127.97.0.254", "<none>"),
        *("Linux", "6", "b://1"),
    ]
    assert _cells(core.node_row, core.NODE_COLUMNS)[1:3] == ["Unknown", "<none>"]


def test_event() -> None:
    cells = _cells(
        core.event_row,
        core.EVENT_COLUMNS,
        involvedObject={"kind": "Pod", "name": "web", "fieldPath": "spec.containers{a}"},
        type="Warning",
        reason="Failed",
        message=" no image \n",
        count=3,
        firstTimestamp="2025-12-31T23:59:00Z",
        lastTimestamp="2025-12-31T23:59:58Z",
        source={"component": "kubelet", "host": "bookmesh"},
    )
    assert cells[:4] == ["2s", "Warning", "Failed", "pod/web"]
    assert cells[4:] == ["spec.containers{a}", "kubelet, bookmesh", "no image", "60s", 3, "a"]


def test_the_small_ones() -> None:
    assert _cells(core.namespace_row, core.NAMESPACE_COLUMNS, status={"phase": "Active"})[1:] == [
        "Active",
        "5s",
    ]
    data = {"data": {"x": "y"}, "binaryData": {"z": ""}}
    assert _cells(core.config_map_row, core.CONFIG_MAP_COLUMNS, **data)[1] == "2"
    assert _cells(core.secret_row, core.SECRET_COLUMNS, type="Opaque", data={"a": ""})[1:3] == ["Opaque", 1]
    assert _cells(core.service_account_row, core.SERVICE_ACCOUNT_COLUMNS)[1] == 0
    lease = {"spec": {"holderIdentity": "me"}}
    assert _cells(core.lease_row, core.LEASE_COLUMNS, **lease)[1] == "me"
    assert _cells(core.definition_row, core.DEFINITION_COLUMNS)[1] == METADATA["creationTimestamp"]


def test_endpoints() -> None:
    addresses = [{"ip": f"10.244.0.{number}"} for number in range(4)]
    subsets = [{"addresses": addresses, "ports": [{"port": 80}]}]
    cells = _cells(core.endpoints_row, core.ENDPOINTS_COLUMNS, subsets=subsets)
    assert cells[1] == "10.244.0.0:80,10.244.0.1:80,10.244.0.2:80 + 1 more..."
    assert _cells(core.endpoints_row, core.ENDPOINTS_COLUMNS)[1] == "<none>"
    sliced = {"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [{"addresses": ["10.244.0.1"]}]}
    cells = _cells(core.endpoint_slice_row, core.ENDPOINT_SLICE_COLUMNS, **sliced)
    assert cells[1:4] == ["IPv4", "80", "10.244.0.1"]
    assert _cells(core.endpoint_slice_row, core.ENDPOINT_SLICE_COLUMNS)[2:4] == ["<unset>", "<unset>"]

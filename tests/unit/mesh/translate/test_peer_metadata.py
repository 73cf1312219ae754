"""Who a proxy says it is."""

from __future__ import annotations

import base64

from google.protobuf import json_format, struct_pb2

from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import peer_metadata

WORKLOAD = workloads.Workload(
    "web", "shop", "web-1", "10.244.0.9", "web", labels={"app": "web", "version": "v2"}
)
PROXY = proxies.Proxy("sidecar~10.244.0.9~web-1.shop~shop.svc.cluster.local", "sidecar", WORKLOAD)


def test_the_workload_is_told_as_a_structure() -> None:
    decoded = struct_pb2.Struct()
    decoded.ParseFromString(base64.b64decode(peer_metadata.encode(PROXY, MeshSettings())))
    facts = json_format.MessageToDict(decoded)
    assert (facts["NAME"], facts["NAMESPACE"], facts["WORKLOAD_NAME"]) == ("web-1", "shop", "web")
    assert facts["LABELS"]["version"] == "v2"
    assert facts["LABELS"]["service.istio.io/canonical-name"] == "web"


def test_the_same_proxy_says_the_same() -> None:
    assert peer_metadata.encode(PROXY, MeshSettings()) == peer_metadata.encode(PROXY, MeshSettings())


def test_both_headers_are_announced() -> None:
    assert [option.header.key for option in peer_metadata.announcement()] == list(peer_metadata.HEADERS)

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.unit.cli.explain import test_sources
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import describing

SERVICE = test_sources.thing(
    "Service",
    "reviews",
    {"selector": {"app": "reviews"}, "ports": [{"name": "http", "port": 9080, "targetPort": "web"}]},
)
POD: dict[str, Any] = {
    "metadata": {
        "name": "reviews-1",
        "namespace": "default",
        "labels": {"app": "reviews", "version": "v1", "istio.io/rev": "default"},
    },
    "spec": {
        "containers": [{"name": "app", "ports": [{"containerPort": 9080, "name": "web"}]}],
        "initContainers": [{"name": "istio-proxy", "ports": [{"containerPort": 15090}]}],
    },
    "status": {"phase": "Running"},
}
DESTINATIONS = test_sources.thing(
    "DestinationRule",
    "reviews",
    {
        "host": "reviews",
        "subsets": [{"name": v, "labels": {"version": v}} for v in ("v1", "v2")],
    },
)
AROUND = describing.Around(
    services=[SERVICE], virtual_services=[test_sources.RULE], destination_rules=[DESTINATIONS]
)


def test_a_pod_is_described_with_its_services_and_their_routing() -> None:
    assert list(describing.describe_pod(POD, AROUND)) == [
        "Pod: reviews-1",
        "   Pod Revision: default",
        "   Pod Ports: 9080 (app), 15090 (istio-proxy)",
        "--------------------",
        "Service: reviews",
        "   Port: http 9080/HTTP targets pod port 9080",
        'DestinationRule: reviews for "reviews"',
        "   Matching subsets: v1",
        "      (Non-matching subsets v2)",
        "   No Traffic Policy",
        "VirtualService: reviews",
        '   Route to host "ratings" with weight 0%',
        "   1 additional destination(s) that will not reach this pod",
        "--------------------",
        "Effective PeerAuthentication:",
        "   Workload mTLS mode: PERMISSIVE",
        "Skipping Gateway information (no ingress gateway pods)",
    ]


def test_a_pod_outside_of_everything() -> None:
    lonely = {
        "metadata": {"name": "a", "namespace": "foo"},
        "spec": {"containers": [{"name": "a"}]},
        "status": {"containerStatuses": [{"name": "a", "ready": False}]},
    }
    lines = list(describing.describe_pod(lonely, AROUND))
    assert lines[:5] == [
        "Pod: a.foo",
        "   Pod Revision: ",
        "   Pod does not expose ports",
        "WARNING: Pod a.foo Container a NOT READY",
        "WARNING: a.foo is not part of mesh; no Istio sidecar",
    ]
    assert lines[5].startswith("Warning: No Kubernetes Services select pod a.foo")


def test_a_pod_that_does_not_run_yet_or_has_no_labels() -> None:
    waiting = {**POD, "status": {"phase": "Pending"}}
    assert "   Pod is not Running (Pending)" in list(describing.describe_pod(waiting, AROUND))
    bare = {**POD, "metadata": {"name": "x", "namespace": "default"}}
    lines = list(describing.describe_pod(bare, AROUND))
    assert len([line for line in lines if line.startswith("Suggestion: add required service")]) == 2


def peers(name: str, namespace: str, mode: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = {"mtls": {"mode": mode}}
    if labels:
        spec["selector"] = {"matchLabels": labels}
    return {"kind": "PeerAuthentication", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


@pytest.mark.parametrize(
    ("found", "mode", "applied"),
    [
        ([peers("mesh", "istio-system", "STRICT")], "STRICT", "mesh.istio-system"),
        (
            [peers("own", "default", "DISABLE", {"app": "reviews"}), peers("mesh", "istio-system", "STRICT")],
            "DISABLE",
            "mesh.istio-system, own.default",
        ),
        ([peers("other", "default", "STRICT", {"app": "other"})], "PERMISSIVE", ""),
        (
            [peers("ns", "default", "UNSET"), peers("mesh", "istio-system", "STRICT")],
            "STRICT",
            "mesh.istio-system, ns.default",
        ),
    ],
)
def test_the_narrowest_peer_authentication_counts(
    found: list[dict[str, Any]], mode: str, applied: str
) -> None:
    lines = list(describing.describe_pod(POD, dataclasses.replace(AROUND, peer_authentications=found)))
    assert f"   Workload mTLS mode: {mode}" in lines
    assert (f"   {applied}" in lines) is bool(applied)


def test_what_the_ingress_gateway_leads_to() -> None:
    exposed = {**test_sources.RULE, "spec": {**test_sources.RULE["spec"], "gateways": ["gw"]}}
    gateway = {"status": {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}]}}}
    around = dataclasses.replace(
        AROUND, virtual_services=[exposed], gateway_services=[gateway], ingress=small_dumps.dump()
    )
    lines = list(describing.describe_service(SERVICE, [POD], around))
    start = lines.index("Exposed on Ingress Gateway http://127.97.0.1")
    assert lines[start + 1] == "VirtualService: reviews"
    assert lines[0] == "Service: reviews"


def test_a_service_without_pods() -> None:
    assert list(describing.describe_service(SERVICE, [], AROUND)) == ['Service "reviews" has no pods.']


@pytest.mark.parametrize(("name", "shown"), [("", "auto-detect"), ("status-port", "UnsupportedProtocol")])
def test_a_port_whose_name_says_no_protocol(name: str, shown: str) -> None:
    service = {**SERVICE, "spec": {**SERVICE["spec"], "ports": [{"name": name, "port": 15021}]}}
    lines = list(describing.describe_service(service, [POD], AROUND))
    assert lines[1] == f"   Port: {name} 15021/{shown} targets pod port 15021"

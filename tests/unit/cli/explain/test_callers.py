from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.findings import BookmeshError
from bookmesh.cli.explain import callers, requests, sources

STATUS = {"sidecar.istio.io/status": "{}"}
GATEWAY = {**STATUS, "inject.istio.io/templates": "gateway"}


def pod(name: str, namespace: str = "default", **annotations: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace, "labels": {"app": "gw"}, "annotations": annotations}
    return {"kind": "Pod", "metadata": meta, "status": {"phase": "Running", "podIP": "10.244.0.9"}}


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


PODS = [pod("reviews-v1-abc-12", **STATUS), pod("plain-abc-12"), pod("away-abc-12", "far", **STATUS)]


@pytest.mark.parametrize(
    "name", ["reviews-v1", "reviews-v1-abc-12", "deploy/reviews-v1", "reviews-v1.default"]
)
def test_the_caller_is_named_by_pod_or_workload(name: str) -> None:
    assert callers.find_caller(PODS, name, "default") is PODS[0]


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("plain", "BM0502", "has no proxy"),
        ("nobody", "BM0501", "known: plain, reviews-v1"),
        ("reviws-v1", "BM0501", 'hint:  did you mean "reviews-v1"?'),
        ("away", "BM0501", "add -n far"),
    ],
)
def test_who_cannot_call_is_told_why(name: str, code: str, text: str) -> None:
    with pytest.raises(BookmeshError) as error:
        callers.find_caller(PODS, name, "default")
    assert error.value.finding.code == code
    assert text in error.value.finding.render()


def test_a_pod_of_something_else_than_a_deployment_is_called_by_its_owner() -> None:
    owned = pod("web-0")
    owned["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": "web"}]
    assert callers.workload_of(owned) == "web"


def test_a_gateway_is_found_by_its_address() -> None:
    own = service("gw", selector={"app": "gw"}) | {
        "status": {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}]}}
    }
    gateway = pod("gw-abc-12", **GATEWAY)
    assert callers.find_gateway([*PODS, gateway], [own], "127.97.0.1") is gateway
    assert callers.find_gateway([*PODS, gateway], [own], "127.97.0.2") is None
    assert callers.find_gateway(PODS, [own], "127.97.0.1") is None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("gw", "10.96.0.7"),
        ("headless", "10.244.0.9"),
        ("outside.com", ""),
        ("10.1.1.1", "10.1.1.1"),
        ("localhost", "127.0.0.1"),
    ],
)
def test_a_name_leads_to_the_address_a_caller_would_connect_to(host: str, address: str) -> None:
    world = sources.World(
        services=[
            service("gw", clusterIP="10.96.0.7"),
            service("headless", clusterIP="None", selector={"app": "gw"}),
        ],
        pods=[pod("x-abc-12")],
    )
    request = requests.parse_request("GET", f"http://{host}/", ())
    assert callers.resolve(request, world, gateway=None).address == address


def test_a_gateway_listens_on_the_target_port() -> None:
    own = service("gw", selector={"app": "gw"}, ports=[{"port": 80, "targetPort": 8080}])
    request = requests.parse_request("GET", "http://anything/", ())
    assert callers.resolve(request, sources.World(services=[own]), gateway=pod("gw")).port == 8080
    assert callers.resolve(request, sources.World(), gateway=pod("gw")).port == 80


ENTRY = {
    "kind": "ServiceEntry",
    "metadata": {"name": "legacy", "namespace": "default"},
    "spec": {"hosts": ["legacy"], "ports": [{"number": 80}]},
}


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (
            "revews",
            'no Service revews in namespace default, and no ServiceEntry for it; did you mean "reviews"?',
        ),
        ("zzz", "no Service zzz in namespace default, and no ServiceEntry for it"),
        ("revews.default.svc.cluster.local", 'did you mean "reviews"?'),
        ("revews.default", 'did you mean "reviews"?'),
        ("reviews.far.svc", "no Service reviews in namespace far"),
        ("reviews", ""),
        ("headless", ""),
        ("legacy", ""),
        ("httpbin.org", ""),
        ("10.1.1.1", ""),
    ],
)
def test_a_name_that_nothing_in_the_mesh_has_is_probably_misspelt(host: str, why: str) -> None:
    services = [service("reviews", clusterIP="10.96.0.7"), service("headless", clusterIP="None")]
    world = sources.World(services=services, service_entries=[ENTRY])
    asked = callers.resolve(requests.parse_request("GET", f"http://{host}/", ()), world, gateway=None)
    found = callers.why_unknown(asked, world)
    assert why in found if why else not found

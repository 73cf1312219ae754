"""Gateways of the Gateway API in a lab: deployed, programmed, changed, and gone with all they own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab

GATEWAY = "gateways.gateway.networking.k8s.io"
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: details, namespace: default}
spec:
  parentRefs: [{name: edge, namespace: front}]
  hostnames: [details.example.com]
  rules: [{matches: [{path: {value: /details}}], backendRefs: [{name: details, port: 9080}]}]
"""


def gateway(*listeners: dict[str, Any], service_type: str = "LoadBalancer") -> str:
    return json.dumps(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {
                "name": "edge",
                "namespace": "front",
                "annotations": {"networking.istio.io/service-type": service_type},
            },
            "spec": {"gatewayClassName": "istio", "listeners": list(listeners)},
        }
    )


HTTP = {
    "name": "http",
    "port": 8088,
    "protocol": "HTTP",
    "hostname": "*.example.com",
    "allowedRoutes": {"namespaces": {"from": "All"}},
}


@pytest.fixture
def front(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    """A namespace for the gateway, without sidecars."""
    bookinfo.kubectl("create", "namespace", "front")
    yield bookinfo
    bookinfo.kubectl("delete", "httproute", "--all", check=False)
    bookinfo.kubectl("delete", "namespace", "front")


def programmed(lab: labs.Lab) -> dict[str, Any]:
    lab.kubectl("wait", "--for=condition=programmed", f"{GATEWAY}/edge", "-n", "front", "--timeout=60s")
    found: dict[str, Any] = lab.get(GATEWAY, "edge", "-n", "front")["status"]
    return found


def owned(lab: labs.Lab) -> list[str]:
    found = lab.kubectl("get", "deployments,services,serviceaccounts", "-n", "front", "-o", "name").stdout
    return sorted(name for name in found.split() if name.endswith("/edge-istio"))


def answers(lab: labs.Lab, address: str, port: int, path: str = "/details/0") -> Callable[[], int]:
    def status() -> int:
        url = f"http://{address}:{port}{path}"
        try:
            return labs.request(url, headers={"Host": "details.example.com"}).status
        except OSError:
            return 0

    return status


def test_a_gateway_deploys_itself_changes_and_goes(front: labs.Lab) -> None:
    front.apply(gateway(HTTP))
    front.apply(ROUTE)
    status = programmed(front)
    address = status["addresses"][0]["value"]
    labs.wait_until(lambda: answers(front, address, 8088)() == 200)
    assert answers(front, address, 8088, "/health")() == 404
    assert owned(front) == ["deployment.apps/edge-istio", "service/edge-istio", "serviceaccount/edge-istio"]

    def messages() -> list[str]:
        parents = front.get("httproute", "details").get("status", {}).get("parents") or [{}]
        return [each["message"] for each in parents[0].get("conditions", [])]

    labs.wait_until(lambda: messages() == ["Route was valid", "All references resolved"], what="its status")

    front.apply(gateway(HTTP, {**HTTP, "name": "other", "port": 8089}))
    labs.wait_until(lambda: answers(front, address, 8089)() == 200)

    def attached() -> list[tuple[str, int]]:
        listeners = front.get(GATEWAY, "edge", "-n", "front")["status"]["listeners"]
        return [(each["name"], each["attachedRoutes"]) for each in listeners]

    labs.wait_until(lambda: attached() == [("http", 1), ("other", 1)], what="a route at each listener")

    front.kubectl("delete", "deployment", "edge-istio", "-n", "front")
    labs.wait_until(lambda: len(owned(front)) == 3, what="the Deployment is made again")
    labs.wait_until(lambda: answers(front, address, 8088)() == 200)

    front.kubectl("delete", f"{GATEWAY}/edge", "-n", "front")
    labs.wait_until(lambda: owned(front) == [], what="all that the Gateway owned is gone")


def test_a_gateway_inside_the_cluster_has_a_name_for_an_address(front: labs.Lab) -> None:
    front.apply(gateway(HTTP, service_type="ClusterIP"))
    assert programmed(front)["addresses"] == [
        {"type": "Hostname", "value": "edge-istio.front.svc.cluster.local"}
    ]


PARAMETERS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: parameters, namespace: front}
data:
  deployment: |
    spec: {template: {spec: {containers: [{name: istio-proxy, resources: {requests: {cpu: 11m}}}]}}}
  service: |
    metadata: {annotations: {chosen: "CHOSEN"}}
    spec: {type: ClusterIP}
  horizontalPodAutoscaler: |
    spec: {minReplicas: 1, maxReplicas: 3}
  podDisruptionBudget: |
    spec: {maxUnavailable: 1}
"""


def test_a_config_map_says_how_what_is_deployed_looks(front: labs.Lab) -> None:
    made = json.loads(gateway(HTTP))
    made["spec"]["infrastructure"] = {
        "parametersRef": {"group": "", "kind": "ConfigMap", "name": "parameters"}
    }
    front.apply(json.dumps(made))

    def accepted() -> str:
        found = front.get(GATEWAY, "edge", "-n", "front").get("status", {}).get("conditions", [])
        return next((each["reason"] for each in found if each["type"] == "Accepted"), "")

    labs.wait_until(lambda: accepted() == "InvalidParameters", what="the ConfigMap to be missed")
    front.apply(PARAMETERS)
    programmed(front)
    (pod,) = front.get("pods", "-n", "front")["items"]
    (proxy,) = pod["spec"]["containers"]
    assert proxy["resources"]["requests"]["cpu"] == "11m"
    assert front.get("hpa", "edge-istio", "-n", "front")["spec"]["maxReplicas"] == 3

    def guarded_pods() -> int:
        budget = front.get("pdb", "edge-istio", "-n", "front")
        return int(budget.get("status", {}).get("expectedPods", 0))

    labs.wait_until(lambda: guarded_pods() == 1, what="the disruption budget to know its pod")
    front.apply(PARAMETERS.replace("CHOSEN", "other"))

    def chosen() -> str:
        service = front.get("service", "edge-istio", "-n", "front")
        assert service["spec"]["type"] == "ClusterIP"
        return str(service["metadata"]["annotations"]["chosen"])

    labs.wait_until(lambda: chosen() == "other", what="the annotation to follow")


def test_what_is_wrong_is_in_the_status_and_in_that_of_the_lab(front: labs.Lab) -> None:
    front.apply(gateway({**HTTP, "hostname": "*.example.org"}))
    front.apply(ROUTE)

    def condition() -> dict[str, Any] | None:
        parents = front.get("httproute", "details").get("status", {}).get("parents") or [{}]
        return next((c for c in parents[0].get("conditions", []) if c["type"] == "Accepted"), None)

    found = labs.wait_until(condition)
    assert (found["status"], found["reason"]) == ("False", "NoMatchingListenerHostname")
    labs.wait_until(
        lambda: "BM0231" in [finding["code"] for finding in front.status()["findings"]], what="BM0231"
    )


def test_gateway_means_istio_s_and_definitions_take_all_with_them(new_lab: Callable[[], labs.Lab]) -> None:
    lab = new_lab()
    lab.bookmesh("up")
    lab.kubectl("create", "namespace", "front")
    lab.apply(gateway(HTTP))
    programmed(lab)
    assert lab.get("gateway", "-A")["items"] == []
    assert [each["kind"] for each in lab.get("gtw", "-A")["items"]] == ["Gateway"]
    lab.kubectl("delete", "crd", GATEWAY)
    labs.wait_until(lambda: owned(lab) == [], what="what the Gateways owned goes with their definition")
    assert lab.kubectl("get", GATEWAY, check=False).returncode != 0

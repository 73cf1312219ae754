"""WorkloadEntry, AUTO_PASSTHROUGH and callers that a DestinationRule selects."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.lab import labs, test_mtls

pytestmark = pytest.mark.lab
NAMESPACE = "entries"
MACHINE = """
---
apiVersion: v1
kind: Pod
metadata:
  name: machine
  namespace: entries
  labels: {app: machine-itself, sidecar.istio.io/inject: "false"}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: httpbin
    image: docker.io/mccutchen/go-httpbin:v2.15.0
    readinessProbe: {httpGet: {path: /get, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: machines, namespace: entries}
spec:
  selector: {app: machine}
  ports: [{name: http, port: 8000, targetPort: 8080}]
"""
ENTRIES = """
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: machine, namespace: entries}}
spec: {{address: {address}, labels: {{app: machine}}, ports: {{http: 8080}}{identity}}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: machines, namespace: entries}}
spec:
  hosts: [machines.example.com]
  addresses: [10.96.77.7]
  location: MESH_INTERNAL
  resolution: STATIC
  workloadSelector: {{labels: {{app: machine}}}}
  ports: [{{number: 80, name: http, protocol: HTTP}}]
"""
PASSTHROUGH = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: cross-network, namespace: entries}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - port: {{number: 15443, name: tls, protocol: TLS}}
    hosts: ["*.entries.svc.cluster.local"]
    tls: {{mode: AUTO_PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: elsewhere, namespace: entries}}
spec:
  hosts: [elsewhere.example.com]
  addresses: [10.96.77.8]
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP, targetPort: 15443}}]
  endpoints: [{{address: {address}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: elsewhere, namespace: entries}}
spec:
  host: elsewhere.example.com
  workloadSelector: {{matchLabels: {{app: {caller}}}}}
  trafficPolicy:
    tls:
      mode: ISTIO_MUTUAL
      sni: outbound_.8000_._.httpbin.entries.svc.cluster.local
      subjectAltNames: [spiffe://cluster.local/ns/entries/sa/httpbin]
"""


@pytest.fixture(scope="module")
def entries(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    workloads = (test_mtls.WORKLOADS + test_mtls.CLIENT.format(name="meshed", inject="true")).replace(
        "mtls", NAMESPACE
    )
    bookinfo.apply(workloads + MACHINE)
    test_mtls.wait_for_workloads(bookinfo, NAMESPACE, "meshed")
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def outcome(lab: labs.Lab, address: str, host: str) -> str:
    """`identity` or `plain` as the server saw the caller, else the status code."""
    curl = (
        "curl",
        "-s",
        "--max-time",
        "5",
        "-w",
        "\n%{http_code}",
        "-H",
        f"Host: {host}",
        f"http://{address}/headers",
    )
    done = lab.kubectl("exec", "-n", NAMESPACE, "meshed", "-c", "curl", "--", *curl, check=False).stdout
    body, _, code = done.rpartition("\n")
    if code != "200":
        return code
    return "identity" if "X-Forwarded-Client-Cert" in json.loads(body)["headers"] else "plain"


def ip_of(lab: labs.Lab, selector: str, namespace: str) -> str:
    (pod,) = lab.get("pods", "-n", namespace, "-l", selector)["items"]
    return str(pod["status"]["podIP"])


def test_a_workload_that_is_no_pod_stands_behind_services(entries: labs.Lab) -> None:
    """A server without sidecar plays the machine; once the entry has an identity, callers want mTLS of it."""
    address = ip_of(entries, "app=machine-itself", NAMESPACE)
    names = {"10.96.77.7": "machines.example.com", "machines:8000": "machines:8000"}
    for place, host in names.items():
        assert outcome(entries, place, host) not in ("plain", "identity")
    entries.apply(ENTRIES.format(address=address, identity=""))
    for place, host in names.items():
        labs.wait_until(
            lambda p=place, h=host: outcome(entries, p, h) == "plain", what=f"an answer of {host}"
        )
    entries.apply(ENTRIES.format(address=address, identity=", serviceAccount: machine"))
    for place, host in names.items():
        labs.wait_until(lambda p=place, h=host: outcome(entries, p, h) == "503", what=f"mTLS to {host}")


def test_auto_passthrough_leads_to_the_service_of_the_server_name(entries: labs.Lab) -> None:
    address = ip_of(entries, "istio=ingressgateway", "istio-system")
    entries.apply(PASSTHROUGH.format(address=address, caller="other"))
    # Without mTLS, as the rule is for others, the gateway has nothing to go by.
    labs.wait_until(
        lambda: outcome(entries, "10.96.77.8", "elsewhere.example.com") == "503",
        what="a refusal by the gateway",
    )
    entries.apply(PASSTHROUGH.format(address=address, caller="meshed"))
    labs.wait_until(
        lambda: outcome(entries, "10.96.77.8", "elsewhere.example.com") == "identity",
        what="mTLS to the service",
    )

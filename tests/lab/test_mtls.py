"""mTLS is on the wire between sidecars, and a pod without one still gets through (PERMISSIVE)."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab
NAMESPACE = "mtls"
WORKLOADS = """
apiVersion: v1
kind: Namespace
metadata: {name: mtls, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: httpbin, namespace: mtls}
---
apiVersion: v1
kind: Service
metadata: {name: httpbin, namespace: mtls}
spec:
  selector: {app: httpbin}
  ports: [{name: http, port: 8000, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: httpbin, namespace: mtls}
spec:
  selector: {matchLabels: {app: httpbin}}
  template:
    metadata: {labels: {app: httpbin}}
    spec:
      serviceAccountName: httpbin
      containers:
      - name: httpbin
        image: docker.io/mccutchen/go-httpbin:v2.15.0
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /get, port: 8080}, periodSeconds: 1}
"""
CLIENT = """
---
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: mtls
  labels: {{app: {name}, sidecar.istio.io/inject: "{inject}"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: curl
    image: docker.io/curlimages/curl:8.16.0
    command: ["/bin/sleep", "infinity"]
"""


@pytest.fixture(scope="module")
def mesh(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    clients = CLIENT.format(name="meshed", inject="true") + CLIENT.format(name="plain", inject="false")
    bookinfo.apply(WORKLOADS + clients)
    wait_for_workloads(bookinfo, NAMESPACE, "meshed", "plain")
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def wait_for_workloads(lab: labs.Lab, namespace: str, *clients: str) -> None:
    """Return when all pods are ready, and each client gets answers: its proxy knows the server a little later."""
    lab.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    for client in clients:
        curl = ("exec", "-n", namespace, client, "-c", "curl", "--", "curl", "-sf", "http://httpbin:8000/get")
        labs.wait_until(functools.partial(succeeds, lab, *curl), what=f"an answer to {client}")


def succeeds(lab: labs.Lab, *arguments: str) -> bool:
    return lab.kubectl(*arguments, check=False).returncode == 0


def headers_seen_by_the_app(lab: labs.Lab, client: str) -> dict[str, list[str]]:
    curl = ("exec", "-n", NAMESPACE, client, "-c", "curl", "--", "curl", "-sS", "http://httpbin:8000/headers")
    answer = lab.kubectl(*curl)
    headers: dict[str, list[str]] = json.loads(answer.stdout)["headers"]
    return headers


def test_the_app_sees_both_identities(mesh: labs.Lab) -> None:
    (certificate,) = headers_seen_by_the_app(mesh, "meshed")["X-Forwarded-Client-Cert"]
    assert "By=spiffe://cluster.local/ns/mtls/sa/httpbin;" in certificate
    assert "URI=spiffe://cluster.local/ns/mtls/sa/default" in certificate


def test_a_pod_without_sidecar_gets_through_without_identity(mesh: labs.Lab) -> None:
    pods = {pod["metadata"]["name"]: pod for pod in mesh.get("pods", "-n", NAMESPACE)["items"]}
    assert [each["name"] for each in pods["plain"]["spec"]["containers"]] == ["curl"]
    assert "X-Forwarded-Client-Cert" not in headers_seen_by_the_app(mesh, "plain")


def test_the_access_log_has_istios_text_format(mesh: labs.Lab) -> None:
    headers_seen_by_the_app(mesh, "meshed")

    def lines() -> list[str]:
        log = mesh.kubectl("logs", "-n", NAMESPACE, "meshed", "-c", "istio-proxy").stdout
        return [
            line for line in log.splitlines() if '"GET /headers HTTP/1.1" 200 - via_upstream - "-" 0 ' in line
        ]

    line = labs.wait_until(lines, what="a line in the client's proxy log")[-1]
    assert "outbound|8000||httpbin.mtls.svc.cluster.local" in line
    assert '"httpbin:8000"' in line


def test_the_gateways_address_answers_inside_pods_too(mesh: labs.Lab) -> None:
    for client in ("meshed", "plain"):
        curl = ("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", mesh.page)
        code = mesh.kubectl("exec", "-n", NAMESPACE, client, "-c", "curl", "--", *curl).stdout
        assert code == "200", client

"""Listeners of a Sidecar where proxies really listen: for what an application calls, and for what calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab
NAMESPACE = "places"
WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: places, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: httpbin, namespace: places}
spec:
  selector: {app: httpbin}
  ports: [{name: http, port: 8000, targetPort: 9090}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: httpbin, namespace: places}
spec:
  workloadSelector: {labels: {app: httpbin}}
  ingress:
  - port: {number: 9090, protocol: HTTP, name: http}
    defaultEndpoint: 127.0.0.1:8080
---
apiVersion: v1
kind: Pod
metadata:
  name: httpbin
  namespace: places
  labels: {app: httpbin}
  annotations: {sidecar.istio.io/interceptionMode: NONE}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: httpbin
    image: docker.io/mccutchen/go-httpbin:v2.15.0
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: client, namespace: places}
spec:
  workloadSelector: {labels: {app: client}}
  egress:
  - port: {number: 9080, protocol: HTTP, name: http}
    captureMode: NONE
    hosts: [default/details.default.svc.cluster.local]
  - port: {number: 15080, protocol: HTTP_PROXY, name: proxy}
    bind: 127.0.0.1
    captureMode: NONE
    hosts: [default/ratings.default.svc.cluster.local, ./*]
  - port: {number: 0, protocol: HTTP, name: socket}
    bind: unix:///run/mesh/httpbin.sock
    hosts: [./httpbin.places.svc.cluster.local]
---
apiVersion: v1
kind: Pod
metadata:
  name: client
  namespace: places
  labels: {app: client}
  annotations:
    sidecar.istio.io/userVolumeMount: '[{"name": "socket", "mountPath": "/run/mesh"}]'
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: socket, emptyDir: {}}]
  containers:
  - name: curl
    image: docker.io/curlimages/curl:8.16.0
    command: ["/bin/sleep", "infinity"]
    volumeMounts: [{name: socket, mountPath: /run/mesh}]
"""


@pytest.fixture(scope="module")
def places(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    bookinfo.apply(WORLD)
    bookinfo.kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def curl(lab: labs.Lab, *arguments: str) -> str:
    """The body of an answer; "" when there is none yet, or it is an error."""
    command = ("exec", "-n", NAMESPACE, "client", "-c", "curl", "--", "curl", "-sSf", *arguments)
    return lab.kubectl(*command, check=False).stdout


def test_a_port_of_the_proxy_leads_to_the_service_that_is_named(places: labs.Lab) -> None:
    named = ("-H", "Host: details.default", "http://127.0.0.1:9080/details/0")
    labs.wait_until(lambda: '"author"' in curl(places, *named), what="details at the proxy's port")
    other = ("-H", "Host: ratings.default", "http://127.0.0.1:9080/ratings/0")
    assert not curl(places, *other)


def test_an_http_proxy_leads_wherever_it_is_asked_for(places: labs.Lab) -> None:
    through = ("-x", "http://127.0.0.1:15080")
    labs.wait_until(
        lambda: '"Reviewer1"' in curl(places, *through, "http://ratings.default:9080/ratings/0"),
        what="ratings through the HTTP proxy",
    )
    labs.wait_until(
        lambda: '"args"' in curl(places, *through, "http://httpbin.places:8000/get"),
        what="httpbin through the HTTP proxy",
    )


def test_a_unix_socket_leads_to_a_pod_without_redirection_by_mtls(places: labs.Lab) -> None:
    """The pod's proxy listens at its address, ends mTLS there, and tells its application who calls."""
    command = ("--unix-socket", "/run/mesh/httpbin.sock", "http://httpbin:8000/headers")
    answer = labs.wait_until(lambda: curl(places, *command), what="httpbin at the socket")
    (certificate,) = json.loads(answer)["headers"]["X-Forwarded-Client-Cert"]
    assert "spiffe://cluster.local/ns/places/sa/default" in certificate

"""
The article's chain on operations: scale, release, roll back, restart, while people use the application.

Requests go through the Service's own address, past the mesh, and through the ingress gateway, at a constant rate, each
on a connection of its own as new visitors come. With probes and a preStop hook none fails; a table says how many there
were. The slow test also shows what the settings are for: what fails when they are left out.

    pytest -m slow -s tests/lab/test_rollouts.py
"""

from __future__ import annotations

import contextlib
import http.client
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.lab import labs, visiting

pytestmark = pytest.mark.lab

NAMESPACE = "rollouts"
CAREFUL = """
        readinessProbe:
          httpGet: {path: /health, port: 5000}
          periodSeconds: 1
        lifecycle:
          preStop:
            sleep: {seconds: 4}
"""
MANIFEST = """
apiVersion: v1
kind: Service
metadata: {{name: hello, namespace: {namespace}}}
spec:
  type: LoadBalancer
  selector: {{app: hello}}
  ports: [{{name: http, port: {port}, targetPort: 5000}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: hello, namespace: {namespace}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: hello}}}}
  strategy: {{rollingUpdate: {{maxSurge: 1, maxUnavailable: {unavailable}}}}}
  template:
    metadata: {{labels: {{app: hello}}}}
    spec:
      terminationGracePeriodSeconds: {grace_s}
      containers:
      - name: hello
        image: docker.io/istio/examples-helloworld-v1:1.0
        ports: [{{containerPort: 5000}}]{settings}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: hello, namespace: {namespace}}}
spec:
  hosts: [{host}]
  gateways: [hello]
  http:
  - match: [{{uri: {{exact: /hello}}}}]
    route: [{{destination: {{host: hello, port: {{number: {port}}}}}}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: hello, namespace: {namespace}}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [{host}]}}]
"""
PORT = 5080
HOST = "hello.example"
STEPS = (
    ("scale to 4", ("scale", "deployment/hello", "--replicas=4")),
    ("scale to 2", ("scale", "deployment/hello", "--replicas=2")),
    ("new image", ("set", "image", "deployment/hello", "hello=docker.io/istio/examples-helloworld-v2:1.0")),
    ("roll back", ("rollout", "undo", "deployment/hello")),
    ("restart", ("rollout", "restart", "deployment/hello")),
)


@dataclass(frozen=True)
class Row:
    """One step: for each way in, how many asked and how many failed."""

    step: str
    duration_s: float
    ways: tuple[tuple[str, int, int], ...]


@contextlib.contextmanager
def deployed(lab: labs.Lab, **settings: object) -> Iterator[tuple[str, str]]:
    """The application in a namespace of its own; gives the URLs of Service and ingress."""
    lab.kubectl("create", "namespace", NAMESPACE)
    try:
        lab.kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
        manifest = MANIFEST.format(namespace=NAMESPACE, port=PORT, host=HOST, **settings)
        lab.apply(manifest)
        lab.kubectl("rollout", "status", "-n", NAMESPACE, "deployment/hello", "--timeout=60s")

        def address() -> str:
            status = lab.get("service", "hello", "-n", NAMESPACE)["status"]["loadBalancer"]
            return str((status.get("ingress") or [{}])[0].get("ip", ""))

        service = f"http://{labs.wait_until(address, what='an address')}:{PORT}/hello"
        ingress = urllib.parse.urljoin(lab.page, "/hello")
        for url in (service, ingress):
            labs.wait_until(lambda url=url: _answers(url), what=f"{url} answers")
        yield service, ingress
    finally:
        lab.kubectl("delete", "namespace", NAMESPACE)


def _answers(url: str) -> bool:
    try:
        return labs.request(url, headers={"Host": HOST}).status == http.client.OK
    except OSError:
        return False


def run_chain(lab: labs.Lab, urls: tuple[str, str], *, rate: float) -> tuple[list[Row], list[str]]:
    """Carry out the steps under load; returns a row for each, and what the failures were."""
    rows = []
    ways = {
        name: visiting.Visitors(url, rate, host=HOST)
        for name, url in zip(("service", "ingress"), urls, strict=True)
    }
    with contextlib.ExitStack() as stack:
        for visitors in ways.values():
            stack.enter_context(visitors.coming())
        for step, command in STEPS:
            before = {name: (visitors.asked, len(visitors.failures)) for name, visitors in ways.items()}
            began_s = time.monotonic()
            lab.kubectl(*command, "-n", NAMESPACE)
            lab.kubectl(
                "rollout", "status", "-n", NAMESPACE, "deployment/hello", "--timeout=120s", timeout=130
            )
            counted = []
            for name, visitors in ways.items():
                asked = visitors.asked
                labs.wait_until(
                    lambda v=visitors, n=asked: v.asked >= n + 2 * visiting.WORKERS, what="more visitors"
                )
                counted.append(
                    (name, visitors.asked - before[name][0], len(visitors.failures) - before[name][1])
                )
            rows.append(Row(step, time.monotonic() - began_s, tuple(counted)))
    return rows, [f"{name}: {text}" for name, visitors in ways.items() for text in visitors.failures]


def print_table(title: str, rows: list[Row]) -> None:
    lines = [f"\n{title}", f"{'step':<12}{'seconds':>9}{'way':>10}{'requests':>10}{'failed':>8}"]
    for row in rows:
        for name, asked, failed in row.ways:
            lines.append(f"{row.step:<12}{row.duration_s:>9.1f}{name:>10}{asked:>10}{failed:>8}")
    sys.stdout.write("\n".join(lines) + "\n")


def test_nobody_notices_scaling_a_release_a_rollback_and_a_restart(bookinfo: labs.Lab) -> None:
    with deployed(bookinfo, unavailable=0, grace_s=30, settings=CAREFUL) as urls:
        rows, failures = run_chain(bookinfo, urls, rate=40)
    print_table("with a readiness probe and a preStop hook", rows)
    assert failures == []
    assert all(asked > 0 for row in rows for _, asked, _ in row.ways)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_the_settings_are_for(bookinfo: labs.Lab) -> None:
    with deployed(bookinfo, unavailable=0, grace_s=30, settings=CAREFUL) as urls:
        careful, failures = run_chain(bookinfo, urls, rate=200)
    print_table("with a readiness probe and a preStop hook", careful)
    with deployed(bookinfo, unavailable="100%", grace_s=0, settings="") as urls:
        careless, expected = run_chain(bookinfo, urls, rate=200)
    print_table("without probe and hook, no grace, all pods at once", careless)
    assert failures == []
    assert expected, "leaving the settings out does no harm: then they are not what helps"

"""A Kubernetes Ingress of the mesh's class gets the gateway's addresses, says what is wrong with it, and goes away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab
CLASS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: lab-test}
spec: {controller: istio.io/ingress-controller}
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: lab-test
  rules:
  - host: shop.lab-test.example
    http:
      paths: [{path: /, pathType: Prefix, backend: {service: {name: nothing, port: {number: 80}}}}]
"""


@pytest.fixture
def objects(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    bookinfo.apply(INGRESS)
    yield bookinfo
    bookinfo.kubectl("delete", "ingress/shop", "ingressclass/lab-test", "--ignore-not-found")


def addresses(lab: labs.Lab, *what: str) -> list[str]:
    found = lab.get(*what)["status"]["loadBalancer"].get("ingress") or []
    return [entry["ip"] for entry in found]


def told(lab: labs.Lab) -> str:
    return "".join(
        event["message"] for event in lab.get("events")["items"] if event["involvedObject"]["name"] == "shop"
    )


def test_an_ingress_gets_the_addresses_of_the_gateway_once_its_class_is_ours(objects: labs.Lab) -> None:
    labs.wait_until(lambda: "[BM0420]" in told(objects))
    assert addresses(objects, "ingress", "shop") == []
    objects.apply(CLASS)
    gateway = addresses(objects, "service", "istio-ingressgateway", "-n", "istio-system")
    labs.wait_until(lambda: addresses(objects, "ingress", "shop") == gateway)
    labs.wait_until(lambda: "[BM0202]" in told(objects))

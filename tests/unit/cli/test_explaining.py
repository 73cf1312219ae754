from __future__ import annotations

from typing import Any

import click
import pytest

from bookmesh.cli import explaining
from bookmesh.cli.istioctl import sources


def test_a_request_is_read_from_url_and_headers() -> None:
    request = explaining.parse_request("get", "http://reviews:9080/a?b=1", ("end-user=jason", "Host: x:1"))
    assert (request.method, request.host, request.port, request.path) == ("GET", "reviews", 9080, "/a")
    assert (request.query, request.headers) == ({"b": "1"}, {"end-user": "jason", "host": "x:1"})
    assert explaining.parse_request("GET", "https://a.com", ()).port == 443
    assert explaining.parse_request("GET", "a.com", ()).port == 80


@pytest.mark.parametrize(
    ("url", "header"), [("ftp://x", "a=b"), ("tcp://x", "a=b"), ("http://x", "nonsense")]
)
def test_what_is_no_request_is_misuse(url: str, header: str) -> None:
    with pytest.raises(click.UsageError):
        explaining.parse_request("GET", url, (header,))


def pod(name: str, **annotations: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "default", "labels": {"app": "gw"}, "annotations": annotations}
    return {"metadata": meta, "status": {"phase": "Running"}}


def test_the_caller_is_named_by_pod_or_workload() -> None:
    status = {"sidecar.istio.io/status": "{}"}
    pods = [pod("reviews-v1-abc-12", **status), pod("plain-abc-12")]
    for name in ("reviews-v1", "reviews-v1-abc-12", "deploy/reviews-v1"):
        assert explaining.find_caller(pods, name) is pods[0]
    with pytest.raises(click.ClickException, match="has no proxy"):
        explaining.find_caller(pods, "plain")
    with pytest.raises(click.ClickException, match="known: plain, reviews-v1"):
        explaining.find_caller(pods, "nobody")


def test_a_sidecar_connects_to_the_services_address_and_a_gateway_listens_on_the_target_port() -> None:
    service = {
        "metadata": {"name": "gw", "namespace": "default"},
        "spec": {
            "clusterIP": "10.96.0.7",
            "selector": {"app": "gw"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }
    world = sources.World(services=[service])
    request = explaining.parse_request("GET", "http://gw/", ())
    assert explaining.resolve(request, world, caller=None).address == "10.96.0.7"
    assert explaining.resolve(request, world, caller=pod("gw")).port == 8080

"""Images of Istio's tasks behave in a pod as their originals do where the tasks look."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import pytest
import yaml
from tests.lab import labs

pytestmark = pytest.mark.lab

NAMESPACE = "images"


def workload(name: str, image: str, port: int, *, args: list[str] | None = None) -> str:
    labels, protocol = {"app": name}, "tcp" if args else "http"
    container = {"name": name, "image": image, "args": args or [], "ports": [{"containerPort": port}]}
    meta = {"name": name, "namespace": NAMESPACE}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {
                "selector": labels,
                "ports": [{"name": f"{protocol}-{name}", "port": port}],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
    ]
    return str(yaml.safe_dump_all(objects))


@pytest.fixture(scope="module")
def images(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    """The shared lab, with one pod of each image, in the mesh."""
    bookinfo.kubectl("create", "namespace", NAMESPACE)
    bookinfo.kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
    try:
        bookinfo.apply(workload("hello", "docker.io/istio/examples-helloworld-v2:1.0", 5000))
        bookinfo.apply(
            workload("echo", "docker.io/istio/tcp-echo-server:1.3", 9000, args=["9000,9001", "one"])
        )
        bookinfo.apply(workload("fortio", "fortio/fortio:latest_release", 8080))
        bookinfo.apply(workload("httpbin", "docker.io/mccutchen/go-httpbin:v2.15.0", 8080))
        bookinfo.kubectl(
            "wait", "-n", NAMESPACE, "--for=condition=Available", "deploy", "--all", "--timeout=60s"
        )
        for place in ("hello:5000/hello", "httpbin:8080/get"):
            labs.wait_until(functools.partial(is_known, bookinfo, place), what=place)
        yield bookinfo
    finally:
        bookinfo.kubectl("delete", "namespace", NAMESPACE)


def is_known(lab: labs.Lab, place: str) -> bool:
    """Whether the client's proxy has an endpoint for it: Ready is said a little earlier."""
    curl = ("exec", "-n", NAMESPACE, "deploy/fortio", "-c", "fortio", "--", "curl", "-sf", f"http://{place}")
    return lab.kubectl(*curl, check=False).returncode == 0


def execute(lab: labs.Lab, workload: str, *command: str, container: str | None = None) -> str:
    where = ("-n", NAMESPACE, f"deploy/{workload}", "-c", container or workload)
    return lab.kubectl("exec", *where, "--", *command).stdout


def test_fortio_shows_an_answer_as_it_came(images: labs.Lab) -> None:
    url = "http://hello:5000/hello"
    answer = execute(images, "fortio", "/usr/bin/fortio", "curl", "-quiet", url)
    assert answer.startswith("HTTP/1.1 200 OK\n")
    name = images.pod("app=hello", NAMESPACE)
    assert answer.endswith(f"Hello version: v2, instance: {name}\n")


def test_fortio_counts_answers(images: labs.Lab) -> None:
    url = "http://httpbin:8080/status/418"
    load = ("load", "-c", "3", "-qps", "0", "-n", "30", "-loglevel", "Warning", url)
    assert re.search(
        r"^Code 418 : 30 \(100\.0 %\)$", execute(images, "fortio", "/usr/bin/fortio", *load), re.MULTILINE
    )


def test_tcp_echo_answers_lines_behind_its_prefix(images: labs.Lab) -> None:
    script = "import socket; s = socket.create_connection(('echo', 9000)); s.sendall(b'world\\n'); print(s.recv(99))"
    command = ("exec", "-n", NAMESPACE, "deploy/fortio", "-c", "fortio", "--", "python3", "-c", script)
    labs.wait_until(
        lambda: "b'one world\\n'" in images.kubectl(*command, check=False).stdout,
        what="the line with its prefix",
    )


def test_pilot_agent_asks_the_envoy_beside_it(images: labs.Lab) -> None:
    ask = ("pilot-agent", "request", "GET", "config_dump")
    assert '"@type": "type.googleapis.com/envoy.admin.v3' in execute(
        images, "hello", *ask, container="istio-proxy"
    )

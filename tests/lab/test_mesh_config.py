"""The mesh configuration and ProxyConfigs, seen from outside while the lab runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.lab import labs, test_mtls

pytestmark = pytest.mark.lab
NAMESPACE = "meshconf"
PROXY_CONFIG = """
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: variables, namespace: meshconf}
spec: {concurrency: 3, environmentVariables: {ISTIO_META_TEAM: blue, PLAIN: "1"}}
"""
UNREADABLE = """
apiVersion: v1
kind: Pod
metadata: {name: unreadable, namespace: meshconf, annotations: {proxy.istio.io/config: "proxyStatsMatcher: ["}}
spec: {containers: [{name: curl, image: curlimages/curl, command: [/bin/sleep, infinity]}]}
"""


def write(lab: labs.Lab, mesh: str) -> None:
    data = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
    }
    lab.apply(json.dumps({**data, "data": {"mesh": mesh}}))


@pytest.fixture(scope="module")
def configured(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    workloads = test_mtls.WORKLOADS.replace("mtls", NAMESPACE)
    bookinfo.apply(workloads)
    bookinfo.apply(PROXY_CONFIG)
    client = test_mtls.CLIENT.format(name="meshed", inject="true").replace("mtls", NAMESPACE)
    annotations = "annotations: {proxy.istio.io/config: '{drainDuration: 9s}'}"
    bookinfo.apply(client.replace("  labels:", f"  {annotations}\n  labels:"))
    test_mtls.wait_for_workloads(bookinfo, NAMESPACE, "meshed")
    before = bookinfo.kubectl(
        "get", "configmap", "istio", "-n", "istio-system", "-o", "jsonpath={.data.mesh}", check=False
    )
    yield bookinfo
    if before.returncode == 0:
        write(bookinfo, before.stdout)
    else:
        bookinfo.kubectl("delete", "configmap", "istio", "-n", "istio-system", "--ignore-not-found")
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def seen_path(lab: labs.Lab, path: str) -> str:
    """The path that the application is asked for."""
    curl = ("curl", "-s", "--path-as-is", f"http://httpbin:8000{path}")
    done = lab.kubectl("exec", "-n", NAMESPACE, "meshed", "-c", "curl", "--", *curl, check=False)
    try:
        url: str = json.loads(done.stdout)["url"]
    except (ValueError, KeyError):
        return done.stdout
    return "/" + url.split("/", 3)[3]


def test_paths_and_logs_follow_the_configuration_at_once(configured: labs.Lab) -> None:
    assert seen_path(configured, "/anything//x/../y") == "/anything//y"
    write(
        configured,
        "pathNormalization: {normalization: MERGE_SLASHES}\naccessLogFile: /dev/stdout\n"
        'accessLogEncoding: JSON\naccessLogFormat: \'{"who": "%REQ(:AUTHORITY)%", "code": "%RESPONSE_CODE%"}\'\n',
    )
    labs.wait_until(
        lambda: seen_path(configured, "/anything//x/../y") == "/anything/y", what="merged slashes"
    )

    def lines() -> list[dict[str, Any]]:
        seen_path(configured, "/anything")
        log = configured.kubectl("logs", "-n", NAMESPACE, "meshed", "-c", "istio-proxy").stdout
        return [json.loads(line) for line in log.splitlines() if line.startswith('{"')]

    labs.wait_until(lambda: {"who": "httpbin:8000", "code": 200} in lines(), what="a line of JSON")


def test_variables_of_a_proxy_config_are_in_the_proxys_container(configured: labs.Lab) -> None:
    pod = configured.get("pod", "-n", NAMESPACE, "meshed")
    containers = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    (proxy,) = [container for container in containers if container["name"] == "istio-proxy"]
    found = {variable["name"]: variable.get("value") for variable in proxy["env"]}
    assert (found["ISTIO_META_TEAM"], found["PLAIN"]) == ("blue", "1")


def threads_and_drain(lab: labs.Lab, namespace: str, pod: str) -> tuple[int, str]:
    """What the running Envoy says about its workers, and how long old connections may go on."""
    ask = ("pilot-agent", "request", "GET", "server_info")
    said = lab.kubectl("exec", "-n", namespace, pod, "-c", "istio-proxy", "--", *ask).stdout
    options: dict[str, Any] = json.loads(said)["command_line_options"]
    return options["concurrency"], options["drain_time"]


def test_threads_and_drain_are_those_of_a_proxy_config_and_the_annotation(configured: labs.Lab) -> None:
    assert threads_and_drain(configured, "default", configured.pod("app=details")) == (1, "5s")
    assert threads_and_drain(configured, NAMESPACE, "meshed") == (3, "9s")


def test_an_annotation_that_cannot_be_read_is_refused_at_admission(configured: labs.Lab) -> None:
    done = configured.kubectl("apply", "-f", "-", stdin=UNREADABLE, check=False)
    assert done.returncode == 1
    assert "annotation proxy.istio.io/config cannot be read" in done.stderr


def test_a_namespace_that_is_not_discovered_is_outside_of_the_mesh(configured: labs.Lab) -> None:
    """Its services are called in plain text, as those of anybody."""

    def way() -> str:
        curl = ("curl", "-sSf", "http://httpbin:8000/headers")
        said = configured.kubectl("exec", "-n", NAMESPACE, "meshed", "-c", "curl", "--", *curl, check=False)
        if said.returncode:
            return said.stderr
        return "mTLS" if "X-Forwarded-Client-Cert" in json.loads(said.stdout)["headers"] else "plain text"

    assert way() == "mTLS"
    condition = f"{{key: kubernetes.io/metadata.name, operator: NotIn, values: [{NAMESPACE}]}}"
    write(configured, f"discoverySelectors: [{{matchExpressions: [{condition}]}}]")
    labs.wait_until(lambda: way() == "plain text", what="plain text")
    write(configured, "accessLogFile: /dev/stdout")
    labs.wait_until(lambda: way() == "mTLS", what="mTLS again")

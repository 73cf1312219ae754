"""What people type in Istio's tasks, against a running lab; and why a request goes where it goes."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from envoy.service.discovery.v3 import discovery_pb2
from envoy.service.status.v3 import csds_pb2
from tests.lab import labs
from tests.local_ports import free_port

pytestmark = pytest.mark.lab

BROKEN = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: broken}
spec:
  hosts: [nobody.example.com]
  http: [{route: [{destination: {host: ratings, subset: v9}}]}]
"""


def istioctl(lab: labs.Lab, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return labs.run([labs.BOOKMESH, "istioctl", "--name", lab.name, *arguments], env=lab.env, check=check)


def test_every_proxy_is_in_sync(bookinfo: labs.Lab) -> None:
    def rows() -> list[str]:
        return istioctl(bookinfo, "proxy-status").stdout.splitlines()[1:]

    assert any(row.startswith("productpage-v1-") for row in rows())
    labs.wait_until(lambda: all("CDS" in row and "RDS" in row for row in rows()), what="all proxies in sync")


def test_configuration_of_a_proxy_is_shown(bookinfo: labs.Lab) -> None:
    clusters = istioctl(bookinfo, "pc", "cluster", "deploy/productpage-v1", "--fqdn", "reviews").stdout
    assert {line.split()[2] for line in clusters.splitlines()[1:]} >= {"-", "v1", "v2", "v3"}
    routes = json.loads(
        istioctl(bookinfo, "pc", "r", "deploy/productpage-v1", "--name", "9080", "-ojson").stdout
    )
    assert any(host["name"].startswith("reviews.") for host in routes[0]["virtualHosts"])
    assert "0.0.0.0" in istioctl(bookinfo, "pc", "l", "deploy/productpage-v1", "--port", "9080").stdout
    assert "HEALTHY" in istioctl(bookinfo, "pc", "ep", "deploy/productpage-v1").stdout
    secrets = istioctl(bookinfo, "-n", "istio-system", "pc", "secret", "deploy/istio-ingressgateway").stdout
    assert [line.split()[0] for line in secrets.splitlines()] == ["RESOURCE", "default", "ROOTCA"]


def test_a_logger_can_be_turned_up_and_statistics_read(bookinfo: labs.Lab) -> None:
    said = istioctl(bookinfo, "pc", "log", "deploy/ratings-v1", "--level", "rbac:debug").stdout
    assert "  rbac: debug\n" in said
    istioctl(bookinfo, "pc", "log", "deploy/ratings-v1", "--reset")
    assert "# TYPE envoy_" in istioctl(bookinfo, "x", "es", "deploy/ratings-v1", "-oprom").stdout


def test_a_broken_rule_is_found_and_a_mended_one_is_not(bookinfo: labs.Lab, tmp_path: Path) -> None:
    before = istioctl(bookinfo, "analyze", check=False)
    assert "ratings+v9" not in before.stdout
    bookinfo.apply(BROKEN)
    expected = (
        "Error [IST0101] (VirtualService default/broken) "
        'Referenced host+subset in destinationrule not found: "ratings+v9"'
    )
    try:
        labs.wait_until(lambda: expected in istioctl(bookinfo, "analyze", check=False).stdout)
        assert istioctl(bookinfo, "analyze", check=False).returncode == 79
        as_file = tmp_path / "broken.yaml"
        as_file.write_text(BROKEN.replace("broken", "other"))
        done = istioctl(bookinfo, "analyze", str(as_file), check=False)
        assert done.returncode == 79
        assert f"(VirtualService default/other {as_file}:7) Referenced host+subset" in done.stdout
        # Its Service is not in a file: as with Istio's own, nobody knows whether there is one.
        istioctl(bookinfo, "analyze", "--use-kube=false", str(as_file))
    finally:
        bookinfo.kubectl("delete", "virtualservice", "broken")


def test_what_is_injected_by_hand_is_not_injected_again(bookinfo: labs.Lab) -> None:
    text = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "by-hand"},
            "spec": {
                "containers": [{"name": "curl", "image": "curlimages/curl", "command": ["sleep", "60"]}]
            },
        }
    )
    command = [labs.BOOKMESH, "istioctl", "--name", bookinfo.name, "kube-inject", "-f", "-"]
    injected = labs.run(command, env=bookinfo.env, stdin=text).stdout
    created = bookinfo.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=injected).stdout
    containers = json.loads(created)["spec"]["containers"]
    assert [each["name"] for each in containers] == ["curl", "istio-proxy"]


LEFT_BY_ISTIO = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: istio-sidecar-injector}
webhooks:
- name: object.sidecar-injector.istio.io
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: istiod, namespace: istio-system, path: /inject}}
  rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
"""


def test_installing_a_profile_brings_its_gateways_and_settings(bookinfo: labs.Lab) -> None:
    mode = "meshConfig.outboundTrafficPolicy.mode=REGISTRY_ONLY"
    bookinfo.apply(LEFT_BY_ISTIO)
    try:
        istioctl(bookinfo, "install", "--set", "profile=demo", "--set", mode, "-y")
        names = {
            each["metadata"]["name"] for each in bookinfo.get("deployments", "-n", "istio-system")["items"]
        }
        assert names == {"istiod", "istio-ingressgateway", "istio-egressgateway"}
        assert "REGISTRY_ONLY" in bookinfo.get("configmap", "istio", "-n", "istio-system")["data"]["mesh"]
    finally:
        istioctl(bookinfo, "install", "-y")
    names = {each["metadata"]["name"] for each in bookinfo.get("deployments", "-n", "istio-system")["items"]}
    assert names == {"istiod", "istio-ingressgateway"}


def test_istiod_answers_what_istios_own_program_asks_it(bookinfo: labs.Lab) -> None:
    istioctl(bookinfo, "install", "-y")
    local = [free_port(), free_port()]
    pairs = [f"{port}:{remote}" for port, remote in zip(local, (15014, 15012), strict=True)]
    forward = ("port-forward", "-n", "istio-system", "deployment/istiod", *pairs)
    command = [labs.BOOKMESH, "kubectl", "--name", bookinfo.name, *forward]
    with subprocess.Popen(command, env=bookinfo.env, stdout=subprocess.DEVNULL) as forwarding:
        try:
            monitoring = f"http://127.0.0.1:{local[0]}"
            labs.wait_until(lambda: answers(f"{monitoring}/version"), what="the forwarded port")
            assert labs.request(f"{monitoring}/version").text.endswith("-Clean")

            def proxies() -> tuple[set[str], set[str], set[str]]:
                """As three ways list them: the last proxies of other tests may just be on their way out."""
                listed = json.loads(labs.request(f"{monitoring}/debug/syncz").text)
                connected = [each["id"] for each in bookinfo.status()["proxies"] if each["connected"]]
                return (
                    {each["proxy"] for each in listed},
                    ask_for_sync_status(local[1]),
                    {each.split("~")[2] for each in connected},
                )

            labs.wait_until(lambda: len(set(map(frozenset, proxies()))) == 1, what="the same proxies in each")
            assert proxies()[0]
        finally:
            forwarding.terminate()


def ask_for_sync_status(port: int) -> set[str]:
    """As `istioctl proxy-status` does: gRPC in TLS that nobody verifies; gives the names of proxies."""
    certificate = ssl.get_server_certificate(("127.0.0.1", port)).encode()
    options = (("grpc.ssl_target_name_override", "istiod.istio-system.svc"),)
    credentials = grpc.ssl_channel_credentials(certificate)
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
        method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
        request = discovery_pb2.DiscoveryRequest(type_url="istio.io/debug/syncz").SerializeToString()
        call: Any = channel.stream_stream(method)(iter([request]), timeout=20)
        response = discovery_pb2.DiscoveryResponse.FromString(next(call))
        call.cancel()
    found = set()
    for resource in response.resources:
        config = csds_pb2.ClientConfig()
        assert resource.Unpack(config)
        assert config.generic_xds_configs
        found.add(config.node.id)
    return found


def test_the_shim_is_a_process_of_that_name(bookinfo: labs.Lab) -> None:
    variables = dict(
        line.removeprefix("export ").split("=", 1) for line in bookinfo.bookmesh("env").stdout.splitlines()
    )
    shim = variables["PATH"].strip("'").split(":")[0] + "/istioctl"
    environment = bookinfo.env | {"KUBECONFIG": variables["KUBECONFIG"].strip("'")}
    done = labs.run([shim, "version", "--remote=false"], env=environment)
    assert done.stdout.startswith("client version: ")
    port = free_port()
    command = [shim, "dashboard", "envoy", "deploy/ratings-v1", "--port", str(port), "--address", "127.0.0.1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as page:
        process = Path(f"/proc/{page.pid}")
        try:
            assert page.stdout is not None
            url = page.stdout.readline().strip()
            labs.wait_until(lambda: answers(f"{url}/ready"), what=url)
            assert (process / "comm").read_text() == "istioctl\n"
        finally:
            page.terminate()
        assert page.wait(timeout=60) == 0
    assert not answers(f"{url}/ready")


def answers(url: str) -> bool:
    try:
        return labs.request(url).status == 200
    except OSError:
        return False


def test_a_request_is_explained_with_the_yaml_behind_it(bookinfo: labs.Lab) -> None:
    url = "http://reviews:9080/reviews/0"

    def subset(*headers: str) -> tuple[str, list[str]]:
        arguments = [part for header in headers for part in ("-H", header)]
        said = bookinfo.bookmesh(
            "explain", "GET", url, "--from", "productpage-v1", *arguments, "-o", "json"
        ).stdout
        steps = {step["stage"]: step for step in json.loads(said)["steps"]}
        sources = [f"{each['object']} {each['field']}" for each in steps["route"]["sources"]]
        return steps["cluster"]["name"].split("|")[2], sources

    bookinfo.apply_sample("routes-jason-v2.yaml")
    try:
        labs.wait_until(lambda: subset("end-user=jason")[0] == "v2")
        assert subset("end-user=jason")[1] == ["VirtualService default/reviews spec.http[0].match[0]"]
        assert subset() == ("v1", ["VirtualService default/reviews spec.http[1]"])
    finally:
        bookinfo.apply_sample("routes-all-v1.yaml")

"""The traffic API beyond routing by header and weight: TLS and TCP at the gateway, egress, circuit breaking."""

from __future__ import annotations

import collections
import json
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.lab import labs

from bookmesh.tasks import splits

pytestmark = pytest.mark.lab

HOST = "secure.example.com"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # with empty settings
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: traffic}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [secure.example.com]
    tls: {mode: MODE, credentialName: secure}
  - {port: {number: 31400, name: tcp, protocol: TCP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: traffic-https}
spec: {hosts: [secure.example.com], gateways: [traffic], http: [{route: [{destination: {host: details}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: traffic-tcp}
spec:
  hosts: ["*"]
  gateways: [traffic]
  tcp:
  - match: [{port: 31400}]
    route:
    - {destination: {host: reviews, port: {number: 9080}, subset: v1}, weight: 80}
    - {destination: {host: reviews, port: {number: 9080}, subset: v3}, weight: 20}
"""
CLIENT = """
apiVersion: v1
kind: Pod
metadata:
  name: caller
  labels: {app: caller}
  annotations: {proxy.istio.io/config: 'proxyStatsMatcher: {inclusionPrefixes: ["cluster.outbound"]}'}
spec: {containers: [{name: curl, image: curlimages/curl, command: [/bin/sleep, infinity]}]}
"""


class Authority:
    """A certificate authority of a person, with openssl as the tasks of Istio have it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self._openssl(
            "req", "-x509", *self._new("ca"), "-subj", "/CN=authority", "-days", "2", "-out", "ca.crt"
        )

    def issue(self, name: str) -> tuple[Path, Path]:
        self._openssl("req", *self._new(name), "-subj", f"/CN={name}", "-out", f"{name}.csr")
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{name}")
        signing = (
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            extensions,
        )
        self._openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.crt")
        return self.directory / f"{name}.crt", self.directory / f"{name}.key"

    @property
    def certificate(self) -> Path:
        return self.directory / "ca.crt"

    def _new(self, name: str) -> tuple[str, ...]:
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")

    def _openssl(self, *arguments: object) -> None:
        command = ["openssl", *map(str, arguments)]
        subprocess.run(command, cwd=self.directory, check=True, capture_output=True, timeout=20)


def https(lab: labs.Lab, trusted: Path, *, client: tuple[Path, Path] | None = None) -> str:
    """Speak HTTP/2 to the gateway; gives its ALPN choice and whether it answers, or why there was no handshake."""
    context = ssl.create_default_context(cafile=str(trusted))
    context.set_alpn_protocols(["h2"])
    if client is not None:
        context.load_cert_chain(*map(str, client))
    try:
        with (
            socket.create_connection(lab.ingress(443), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname=HOST) as connection,
        ):
            connection.sendall(PREFACE)
            frame = connection.recv(9)
            return f"{connection.selected_alpn_protocol()} {'answered' if frame else 'closed'}"
    except (ssl.SSLError, OSError) as error:
        return f"{type(error).__name__}: {error}"


def has_finding(lab: labs.Lab, code: str) -> bool:
    return any(finding["code"] == code for finding in lab.status()["findings"])


def replace_secret(lab: labs.Lab, authority: Authority, *, with_ca: bool = False) -> None:
    certificate, key = authority.issue(HOST)
    lab.kubectl("delete", "secret", "secure", "-n", "istio-system", "--ignore-not-found")
    files = [f"--from-file=tls.crt={certificate}", f"--from-file=tls.key={key}"]
    if with_ca:
        files.append(f"--from-file=ca.crt={authority.certificate}")
    lab.kubectl("create", "-n", "istio-system", "secret", "generic", "secure", *files)


@pytest.fixture(scope="module")
def traffic(bookinfo: labs.Lab) -> Any:
    bookinfo.apply_sample("routes-all-v1.yaml")
    bookinfo.apply(CLIENT)
    yield bookinfo
    for kind in ("gateways,virtualservices,destinationrules,serviceentries,sidecars", "services,pods"):
        bookinfo.kubectl("delete", kind, "-l", "test=traffic", "--ignore-not-found")
    bookinfo.kubectl(
        "delete", "gateway/traffic", "virtualservice/traffic-https", "virtualservice/traffic-tcp"
    )
    bookinfo.kubectl("delete", "pod/caller", "--grace-period=0", "--force")
    bookinfo.kubectl("delete", "secret/secure", "-n", "istio-system", "--ignore-not-found")


def curl(lab: labs.Lab, *arguments: str) -> str:
    command = ("exec", "caller", "-c", "curl", "--", "curl", "-s", "--max-time", "5", *arguments)
    return lab.kubectl(*command, check=False).stdout


# Python leaves its socket open where the peer has reset the connection before the handshake.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_https_gateway_waits_for_its_secret_and_follows_it(traffic: labs.Lab, tmp_path: Path) -> None:
    first, second = Authority(tmp_path / "first"), Authority(tmp_path / "second")
    traffic.kubectl("delete", "secret", "secure", "-n", "istio-system", "--ignore-not-found")
    traffic.apply(GATEWAY.replace("MODE", "SIMPLE"))
    labs.wait_until(lambda: has_finding(traffic, "BM0209"), what="the missing secret is reported")
    assert "Error" in https(traffic, first.certificate)
    replace_secret(traffic, first)
    labs.wait_until(lambda: https(traffic, first.certificate) == "h2 answered", what="TLS with the secret")
    labs.wait_until(lambda: not has_finding(traffic, "BM0209"), what="nothing is missing")
    replace_secret(traffic, second)
    labs.wait_until(lambda: https(traffic, second.certificate) == "h2 answered", what="the new certificate")
    assert "CERTIFICATE_VERIFY_FAILED" in https(traffic, first.certificate)


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_mutual_gateway_asks_for_a_client_certificate(traffic: labs.Lab, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    client = authority.issue("client.example.com")
    replace_secret(traffic, authority, with_ca=True)
    traffic.apply(GATEWAY.replace("MODE", "SIMPLE"))
    labs.wait_until(
        lambda: https(traffic, authority.certificate) == "h2 answered", what="TLS before the change"
    )
    traffic.apply(GATEWAY.replace("MODE", "MUTUAL"))
    labs.wait_until(
        lambda: https(traffic, authority.certificate) != "h2 answered", what="no one without certificate"
    )
    labs.wait_until(
        lambda: https(traffic, authority.certificate, client=client) == "h2 answered", what="one with it"
    )
    assert https(traffic, authority.certificate) != "h2 answered"


def test_connections_are_split_by_weight(traffic: labs.Lab) -> None:
    traffic.apply(GATEWAY.replace("MODE", "SIMPLE"))
    host, port = traffic.ingress(31400)

    def version() -> str:
        url = f"http://{host}:{port}/reviews/0"
        answer = labs.request(url, headers={"Host": "x", "Connection": "close"})
        return "-".join(json.loads(answer.text)["podname"].split("-")[:2])

    def answers() -> bool:
        try:
            return bool(version())
        except OSError:
            return False

    labs.wait_until(answers, what="the port to be open")
    seen = collections.Counter(version() for _ in range(200))
    assert set(seen) == {"reviews-v1", "reviews-v3"}
    low, high = splits.bounds_for(0.2, 200, confidence=1 - 1e-8)
    assert low <= seen["reviews-v3"] <= high, seen


def test_service_entry_leads_to_the_addresses_it_names(traffic: labs.Lab) -> None:
    traffic.pod("app=caller")
    target = traffic.get("pods", "-l", "app=details")["items"][0]["status"]["podIP"]
    call = ("-o", "/dev/null", "-w", "%{http_code}", "--resolve", "api.example.net:80:240.0.0.1")
    assert curl(traffic, "--max-time", "1", *call, "http://api.example.net/details/0") != "200"
    traffic.apply(
        f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: api, labels: {{test: traffic}}}}
spec:
  hosts: [api.example.net]
  ports: [{{number: 80, name: http, protocol: HTTP, targetPort: 9080}}]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{{address: {target}}}]
"""
    )
    labs.wait_until(
        lambda: curl(traffic, *call, "http://api.example.net/details/0") == "200", what="an answer"
    )


def test_mesh_configuration_closes_the_way_out(traffic: labs.Lab) -> None:
    traffic.pod("app=caller")
    address = traffic.get("service", "istio-ingressgateway", "-n", "istio-system")["spec"]["clusterIP"]
    call = (
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-H",
        "Host: nowhere.example.net",
        f"http://{address}/productpage",
    )
    labs.wait_until(lambda: curl(traffic, *call) != "502", what="an open way out before the change")
    configuration = ("configmap", "istio", "-n", "istio-system")
    found = traffic.kubectl("get", *configuration, "-o", "jsonpath={.data.mesh}", check=False)
    traffic.kubectl("delete", *configuration, "--ignore-not-found")
    closed = "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"
    traffic.kubectl("create", *configuration, f"--from-literal=mesh={closed}")
    try:
        labs.wait_until(lambda: curl(traffic, *call) == "502", what="a closed way out")
    finally:
        traffic.kubectl("delete", *configuration)
        if found.returncode == 0:  # an installed profile of another test
            traffic.kubectl("create", *configuration, f"--from-literal=mesh={found.stdout}")
    labs.wait_until(lambda: curl(traffic, *call) != "502", what="an open way out after the change")


def test_circuit_breaker_opens_and_its_statistics_are_kept(traffic: labs.Lab) -> None:
    traffic.pod("app=caller")
    traffic.apply(
        """
apiVersion: v1
kind: Service
metadata: {name: httpbin, labels: {test: traffic}}
spec: {selector: {app: httpbin}, ports: [{name: http, port: 8000, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: httpbin, labels: {app: httpbin, test: traffic}}
spec: {containers: [{name: httpbin, image: docker.io/mccutchen/go-httpbin:v2.15.0}]}
"""
    )
    traffic.pod("app=httpbin")
    call = "curl -s --max-time 20 -o /dev/null -w '%{http_code} ' http://httpbin:8000/delay/1"

    def burst(number: int = 4) -> set[str]:
        """Answers to so many at once, whom one shell in the pod sends."""
        script = f"{' & '.join([call] * number)} & wait"
        said = traffic.kubectl("exec", "caller", "-c", "curl", "--", "sh", "-c", script, check=False)
        return set(said.stdout.split())

    labs.wait_until(lambda: burst(1) == {"200"}, what="httpbin")
    assert burst() == {"200"}
    traffic.apply(
        """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: httpbin, labels: {test: traffic}}
spec:
  host: httpbin
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1, maxRequestsPerConnection: 1}}
    outlierDetection: {consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 100}
"""
    )
    labs.wait_until(lambda: burst() == {"200", "503"}, what="some to be refused")
    prefix = "cluster.outbound|8000||httpbin.default.svc.cluster.local;."
    lines = curl(traffic, "http://localhost:15000/stats").splitlines()
    pending = [line.removeprefix(prefix) for line in lines if line.startswith(prefix) and "pending" in line]
    assert sorted(line.partition(":")[0] for line in pending) == [
        "circuit_breakers.default.remaining_pending",
        "circuit_breakers.default.rq_pending_open",
        "circuit_breakers.high.rq_pending_open",
        "upstream_rq_pending_active",
        "upstream_rq_pending_failure_eject",
        "upstream_rq_pending_overflow",
        "upstream_rq_pending_total",
    ]

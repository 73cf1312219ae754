"""The Internet of a lab: simulated hosts that pods trust, hosts of a person's own, and the way out to the real one."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab

HOSTS = """
- names: [partner.example, "*.partner.example"]
  addresses: [203.0.113.7]
  https: [443, 8443]
  answers:
    - {path: /rates, headers: {content-type: application/json, x-note: 5%}, body: '{"EUR": 1.1}'}
    - {prefix: /shut, status: 503, body: closed}
- names: [old.example]
  alpn: [http/1.1]
  program: httpbin
- names: [www.google.com]
  answers: [{body: mine}]
"""
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: plain, labels: {sidecar.istio.io/inject: "false"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: curl, image: curlimages/curl, command: [/bin/sleep, infinity]}
---
apiVersion: v1
kind: Pod
metadata: {name: meshed}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: curl, image: curlimages/curl, command: [/bin/sleep, infinity]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: nobody}
data: {ca-certificates.crt: "# nobody is trusted here"}
---
apiVersion: v1
kind: Pod
metadata: {name: distrustful, labels: {sidecar.istio.io/inject: "false"}}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: certificates, configMap: {name: nobody}}]
  containers:
    - name: curl
      image: curlimages/curl
      command: [/bin/sleep, infinity]
      env: [{name: SSL_CERT_FILE, value: /etc/ssl/certs/ca-certificates.crt}]
      volumeMounts: [{name: certificates, mountPath: /etc/ssl/certs}]
"""
DETAILS = """
apiVersion: v1
kind: Pod
metadata: {name: details, labels: {sidecar.istio.io/inject: "false"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: details
      image: docker.io/istio/examples-bookinfo-details-v2:1.20.3
      readinessProbe: {tcpSocket: {port: 9080}, periodSeconds: 1}
"""


@pytest.fixture(scope="module")
def lab(new_lab: Callable[[], labs.Lab], tmp_path_factory: pytest.TempPathFactory) -> labs.Lab:
    hosts = tmp_path_factory.mktemp("hosts") / "hosts.yaml"
    hosts.write_text(HOSTS)
    made = new_lab()
    made.bookmesh("up", "--hosts", str(hosts))
    made.apply(PODS)
    made.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    return made


def curl(lab: labs.Lab, pod: str, *arguments: str) -> tuple[int, str]:
    """Run curl in a pod: its exit code, and what it printed; with the errors when it failed."""
    done = lab.kubectl("exec", pod, "-c", "curl", "--", "curl", "-sS", *arguments, check=False)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def servers(lab: labs.Lab) -> str:
    log = lab.home / lab.name / "internet.log"
    return log.read_text() if log.exists() else ""


def test_servers_start_with_the_first_connection_which_is_answered(lab: labs.Lab) -> None:
    """Runs first: an address needs no look-up, so it is the connection itself that waits for the servers."""
    assert servers(lab) == ""
    there = ("--resolve", "a.partner.example:443:203.0.113.7", "https://a.partner.example/rates")
    assert curl(lab, "plain", *there) == (0, '{"EUR": 1.1}')
    labs.wait_until(lambda: "httpbin listening" in servers(lab), what="the other server, in the log")


@pytest.mark.parametrize("pod", ["plain", "meshed"])
def test_packaged_hosts_speak_http2_and_are_trusted(lab: labs.Lab, pod: str) -> None:
    facts = "%{http_code} HTTP/%{http_version}"
    assert curl(lab, pod, "-o", "/dev/null", "-w", facts, "https://edition.cnn.com/politics") == (
        0,
        "200 HTTP/2",
    )
    forced = ("--http1.1", "-o", "/dev/null", "-w", facts, "https://edition.cnn.com/politics")
    assert curl(lab, pod, *forced) == (0, "200 HTTP/1.1")
    where = ("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "http://edition.cnn.com/politics")
    assert curl(lab, pod, *where) == (0, "301 https://edition.cnn.com/politics")


def test_a_host_of_ones_own_answers_as_declared(lab: labs.Lab) -> None:
    code, text = curl(lab, "plain", "-i", "https://any.partner.example:8443/rates")
    assert code == 0
    assert text.startswith("HTTP/2 200")
    assert "x-note: 5%\r" in text or "x-note: 5%\n" in text
    assert "server: bookmesh-internet" in text
    assert curl(lab, "plain", "http://partner.example/shut/now") == (0, "closed")
    assert curl(lab, "plain", "-o", "/dev/null", "-w", "%{http_code}", "http://partner.example/") == (
        0,
        "404",
    )
    facts = ("-o", "/dev/null", "-w", "HTTP/%{http_version}", "https://old.example/get")
    assert curl(lab, "plain", *facts) == (0, "HTTP/1.1")
    assert curl(lab, "plain", "https://www.google.com") == (0, "mine")


def test_a_pods_own_choice_of_whom_to_trust_counts(lab: labs.Lab) -> None:
    assert curl(lab, "plain", "--cacert", "/etc/hostname", "https://www.google.com")[0] == 77
    for variable in ("CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        command = [
            "exec",
            "plain",
            "--",
            "env",
            f"{variable}=/etc/hostname",
            "curl",
            "-sS",
            "https://www.google.com",
        ]
        assert lab.kubectl(*command, check=False).returncode == 77
    code, text = curl(lab, "distrustful", "https://www.google.com")
    assert code in (60, 77), text


def test_programs_besides_curl_trust_it_too(lab: labs.Lab) -> None:
    program = "import urllib.request as r; print(r.urlopen('https://www.google.com').read().decode())"
    done = lab.kubectl("exec", "plain", "--", "python3", "-c", program, check=False)
    if "not found" in done.stderr:
        pytest.skip("python3 is not in /usr/bin of this host")
    assert done.stdout == "mine\n", done.stderr


def test_bookinfos_details_asks_the_book_service(lab: labs.Lab) -> None:
    lab.apply(DETAILS)
    lab.kubectl("wait", "--for=condition=Ready", "pod/details", "--timeout=60s")
    address = lab.get("pod", "details")["status"]["podIP"]
    code, text = curl(lab, "plain", f"http://{address}:9080/details/0")
    assert code == 0
    assert json.loads(text)["ISBN-10"] == "0486424618"


def host_curl(lab: labs.Lab, *arguments: str) -> tuple[int, str]:
    """Run curl on this machine, with the variables of `bookmesh env --simulated-internet`: exit code and output."""
    variables = lab.bookmesh("env", "--simulated-internet").stdout
    script = f'{variables}exec curl -sS --max-time 30 "$@"'
    done = labs.run(["sh", "-c", script, "sh", *arguments], env=lab.env, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_programs_of_this_machine_reach_simulated_hosts_and_no_others(lab: labs.Lab) -> None:
    server = f"{lab.status()['api']['url']}/version"
    assert host_curl(lab, "https://any.partner.example:8443/rates") == (0, '{"EUR": 1.1}')
    assert host_curl(lab, "http://partner.example/shut/now") == (0, "closed")
    facts = ("-o", "/dev/null", "-w", "%{http_code} HTTP/%{http_version}", "https://edition.cnn.com/politics")
    assert host_curl(lab, *facts) == (0, "200 HTTP/2")
    code, text = host_curl(lab, "https://nowhere.example")
    assert code == 56, text
    assert host_curl(lab, "-o", "/dev/null", "-w", "%{http_code}", "http://nowhere.example") == (0, "502")
    assert host_curl(lab, "http://127.0.0.1:9/")[0] == 7  # loopback is not the proxy's business
    assert host_curl(lab, "-k", "-o", "/dev/null", "-w", "%{http_code}", server) == (0, "200")


def test_without_the_variables_this_machine_reaches_none_of_them(lab: labs.Lab) -> None:
    command = [
        "curl",
        "-sS",
        "--noproxy",
        "*",
        "--connect-timeout",
        "2",
        "https://any.partner.example:8443/rates",
    ]
    assert labs.run(command, env=lab.env, check=False, timeout=60).returncode != 0


def test_an_unknown_name_does_not_exist_and_the_lab_says_so(lab: labs.Lab) -> None:
    code, text = curl(lab, "meshed", "https://nowhere.example")
    assert code == 6
    assert "Could not resolve host: nowhere.example" in text
    said = [finding["message"] for finding in lab.status()["findings"] if finding["code"] == "BM0341"]
    assert any('"nowhere.example"' in message for message in said)


def test_an_unknown_address_is_refused_at_once(lab: labs.Lab) -> None:
    code, text = curl(lab, "plain", "--connect-timeout", "10", "http://192.0.2.55")
    assert code == 7, text


def test_hosts_that_cannot_be_are_told_before_anything_starts(
    new_lab: Callable[[], labs.Lab], tmp_path: Path
) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text("- names: [a.example]\n  colour: red\n")
    made = new_lab()
    done = made.bookmesh("up", "--hosts", str(file), check=False)
    assert done.returncode == 2
    assert "error[BM0340]" in done.stderr
    assert "unknown field `colour` - at `$[0]`" in done.stderr
    assert not (made.home / made.name).exists()
    both = made.bookmesh("up", "--hosts", str(file), "--internet", check=False)
    assert (both.returncode, "--hosts is for the simulated Internet" in both.stderr) == (2, True)


def test_other_hosts_for_a_running_lab_are_misuse(lab: labs.Lab, tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text("- names: [other.example]\n")
    done = lab.bookmesh("up", "--hosts", str(file), check=False)
    assert (done.returncode, "BM0106" in done.stderr) == (2, True)


class _Greeting(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"from this machine\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def outside_server() -> Iterator[tuple[str, int]]:
    """A server at an address of this machine that is no loopback one: as good as any host elsewhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks for the way
        except OSError:
            pytest.skip("this machine has no network besides loopback")
        address = probe.getsockname()[0]
    server = http.server.ThreadingHTTPServer((address, 0), _Greeting)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield address, server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_real_internet_is_what_this_machine_reaches(
    new_lab: Callable[[], labs.Lab], outside_server: tuple[str, int]
) -> None:
    made = new_lab()
    made.bookmesh("up", "--internet")
    made.apply(PODS)
    made.kubectl("wait", "--for=condition=Ready", "pod", "plain", "meshed", "--timeout=60s")
    address, port = outside_server
    for pod in ("plain", "meshed"):
        assert curl(made, pod, f"http://{address}:{port}/") == (0, "from this machine\n")
    refused = made.bookmesh("env", "--simulated-internet", check=False)
    assert (refused.returncode, "error[BM0422]" in refused.stderr) == (1, True)
    variables = made.kubectl("exec", "plain", "--", "env").stdout
    assert "SSL_CERT_FILE" not in variables
    # Connected here and refused there: the reset comes during the connection or after it.
    assert curl(made, "plain", f"http://{address}:1/")[0] in (7, 52, 56)
    again = made.bookmesh("up", "--hosts", "/dev/null", check=False)
    assert again.returncode == 2

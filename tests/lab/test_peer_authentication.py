"""PeerAuthentication: what a workload accepts, and what callers make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.lab import labs, test_mtls

pytestmark = pytest.mark.lab
NAMESPACE = "peers"
HTTPBIN = "selector: {matchLabels: {app: httpbin}}"
RESET = 56  # curl's exit code for a connection that was reset while it received
POLICY = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: {name}, namespace: peers}}
spec: {spec}
"""


@pytest.fixture(scope="module")
def peers(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    clients = (test_mtls.CLIENT.format(name=n, inject=i) for n, i in (("meshed", "true"), ("plain", "false")))
    # Names and namespace of the other test, in a namespace of our own.
    bookinfo.apply((test_mtls.WORKLOADS + "".join(clients)).replace("mtls", NAMESPACE))
    test_mtls.wait_for_workloads(bookinfo, NAMESPACE, "meshed", "plain")
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def outcome(lab: labs.Lab, client: str) -> str:
    """`identity` (200, the server saw one), `plain` (200, it saw none), or curl's exit code."""
    curl = ("exec", "-n", NAMESPACE, client, "-c", "curl", "--", "curl", "-sS", "http://httpbin:8000/headers")
    done = lab.kubectl(*curl, check=False)
    if done.returncode:
        return str(done.returncode)
    return "identity" if "X-Forwarded-Client-Cert" in json.loads(done.stdout)["headers"] else "plain"


def outcomes(lab: labs.Lab) -> tuple[str, str]:
    return outcome(lab, "meshed"), outcome(lab, "plain")


def expect(lab: labs.Lab, *wanted: str) -> None:
    labs.wait_until(lambda: outcomes(lab) == wanted, what=f"(meshed, plain) to be {wanted}")


def policy(name: str, spec: str) -> str:
    return POLICY.format(name=name, spec=spec)


def test_strict_namespace_refuses_plain_text(peers: labs.Lab) -> None:
    expect(peers, "identity", "plain")
    peers.apply(policy("default", "{mtls: {mode: STRICT}}"))
    expect(peers, "identity", str(RESET))


def test_policy_of_a_workload_and_its_port_wins(peers: labs.Lab) -> None:
    """Whenever callers go back to mTLS plain text is refused: where both are accepted open connections stay."""
    peers.apply(policy("default", "{mtls: {mode: STRICT}}"))
    peers.apply(policy("httpbin", f'{{{HTTPBIN}, portLevelMtls: {{"8080": {{mode: DISABLE}}}}}}'))
    expect(peers, "plain", "plain")
    peers.apply(policy("httpbin", f'{{{HTTPBIN}, portLevelMtls: {{"8080": {{mode: UNSET}}}}}}'))
    expect(peers, "identity", str(RESET))


def test_without_policy_both_are_accepted_again(peers: labs.Lab) -> None:
    peers.apply(policy("httpbin", f"{{{HTTPBIN}, mtls: {{mode: STRICT}}}}"))
    expect(peers, "identity", str(RESET))
    peers.kubectl("delete", "peerauthentication", "-n", NAMESPACE, "--all")
    expect(peers, "identity", "plain")


def test_a_rule_against_the_policy_breaks_calls_and_is_reported(peers: labs.Lab) -> None:
    peers.apply(policy("default", "{mtls: {mode: STRICT}}"))
    expect(peers, "identity", str(RESET))
    peers.apply("""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: httpbin, namespace: peers}
spec: {host: httpbin, trafficPolicy: {tls: {mode: DISABLE}}}
""")

    def is_broken() -> bool:
        curl = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://httpbin:8000/headers")
        return peers.kubectl("exec", "-n", NAMESPACE, "meshed", "-c", "curl", "--", *curl).stdout == "503"

    labs.wait_until(is_broken, what="503 from the client's proxy")
    labs.wait_until(
        lambda: "BM0241" in [finding["code"] for finding in peers.status()["findings"]], what="BM0241"
    )
    peers.kubectl("delete", "-n", NAMESPACE, "destinationrule/httpbin", "peerauthentication/default")
    expect(peers, "identity", "plain")


def test_short_name_and_columns(peers: labs.Lab) -> None:
    peers.apply(policy("shown", "{mtls: {mode: PERMISSIVE}}"))
    listed = peers.kubectl("get", "pa", "-n", NAMESPACE).stdout.split()
    assert listed[:3] == ["NAME", "MODE", "AGE"]
    assert listed[3:5] == ["shown", "PERMISSIVE"]
    peers.kubectl("delete", "pa", "-n", NAMESPACE, "shown")


def test_ports_without_selector_are_refused_with_the_reason(peers: labs.Lab) -> None:
    peers.apply(policy("wrong", '{portLevelMtls: {"8080": {mode: STRICT}}}'))

    def message() -> str:
        status = peers.get("pa", "-n", NAMESPACE, "wrong").get("status", {})
        return " ".join(found["message"] for found in status.get("validationMessages", []))

    labs.wait_until(lambda: "portLevelMtls needs a selector" in message(), what="a finding on the object")
    peers.kubectl("delete", "pa", "-n", NAMESPACE, "wrong")

"""
What `bookmesh explain` says is what Envoy does: the same request, asked and then sent many times.

For each case the proxy's access log is the witness: cluster, endpoint, status and name of the route of every request.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from tests.lab import explained_cases, labs
from tests.lab.explained_cases import NAMESPACE, Case

pytestmark = pytest.mark.lab

SIGMAS: Final = 4.5  # one case in 150,000 is beyond, by chance
# The log's fields that matter here, from its end: host, cluster, three addresses, server name, route.
LINE: Final = re.compile(
    r'^\[\S+\] "(?P<request>[^"]*)" (?P<status>\d+) (?P<flags>\S+) (?P<details>\S+) .*'
    r'"(?P<agent>[^"]*)" "(?:[^"]*)" "(?P<authority>[^"]*)" "(?P<host>[^"]*)" (?P<cluster>\S+) '
    r"\S+ \S+ \S+ (?P<sni>\S+) (?P<route>\S+)$"
)


@dataclass(frozen=True)
class Seen:
    """One line of the proxy's log."""

    status: int
    flags: str
    host: str
    cluster: str
    route: str


MARKER = f"""---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: marker, namespace: {NAMESPACE}}}
spec:
  hosts: [marker-NUMBER.explained.example.com]
  gateways: [mesh, explained]
  http: [{{route: [{{destination: {{host: web, port: {{number: 8000}}}}}}]}}]
"""


@dataclass
class Stage:
    """The lab with the workloads, and how to ask and to send."""

    lab: labs.Lab
    gateway: str
    address: str
    changes: int = 0

    def change(self, case: Case, objects: str) -> None:
        """Apply objects, and wait until the proxy has what came last."""
        self.changes += 1
        host = f"marker-{self.changes}.explained.example.com"
        self.lab.apply(objects + MARKER.replace("NUMBER", str(self.changes)))
        if case.origin == "gateway" and "kind: Gateway" not in objects:
            raise AssertionError("a case of a gateway brings it along")
        pod, namespace = self.place(case)
        request = ("pilot-agent", "request", "GET", "config_dump?resource=dynamic_route_configs")
        ask = ("exec", pod, "-n", namespace, "-c", "istio-proxy", "--", *request)
        labs.wait_until(lambda: host in self.lab.kubectl(*ask).stdout, what=f"the proxy has {host}")

    def place(self, case: Case) -> tuple[str, str]:
        """Name and namespace of the pod whose proxy is asked."""
        return ("caller", NAMESPACE) if case.origin == "caller" else (self.gateway, "istio-system")

    def explain(self, case: Case) -> dict[str, Any]:
        headers = [part for each in case.headers for part in ("-H", each)]
        pod, namespace = self.place(case)
        command = ("explain", case.method, case.url, "--from", pod, "-n", namespace, *headers, "-o", "json")
        found: dict[str, Any] = json.loads(self.lab.bookmesh(*command).stdout)
        return found

    def log(self, case: Case) -> list[str]:
        pod, namespace = self.place(case)
        text = self.lab.kubectl("logs", pod, "-n", namespace, "-c", "istio-proxy").stdout
        return [line for line in text.splitlines() if LINE.match(line)]

    def send(self, case: Case) -> None:
        """Send the request as often as the case wants, one after the other."""
        command = " ".join(map(shlex.quote, self._command(case)))
        loop = f"i=0; while [ $i -lt {case.requests} ]; do {command}; i=$((i+1)); done; true"
        if case.origin == "gateway":
            labs.run(["sh", "-c", loop], env=self.lab.env)
            return
        self.lab.kubectl("exec", "caller", "-n", NAMESPACE, "-c", "curl", "--", "sh", "-c", loop)

    def _command(self, case: Case) -> list[str]:
        _, _, rest = case.url.partition("://")
        place, _, _ = rest.partition("/")
        host, _, port = place.partition(":")
        if case.url.startswith("tcp:"):
            return ["sh", "-c", f"echo hello | curl -s --max-time 2 telnet://{place} >/dev/null"]
        command = [
            "curl",
            "-s",
            "-k",
            "-o",
            "/dev/null",
            "--path-as-is",
            "--max-time",
            "10",
            "-X",
            case.method,
            case.url,
        ]
        command += [part for each in case.headers for part in ("-H", each)]
        at = self.address if case.origin == "gateway" else case.resolve
        if at:
            number = port or ("443" if case.url.startswith("https") else "80")
            command += ["--connect-to", f"{host}:{number}:{at}:{number}"]
        return command


@pytest.fixture(scope="module")
def stage(bookinfo: labs.Lab) -> Iterator[Stage]:
    bookinfo.apply(explained_cases.WORKLOADS)
    bookinfo.kubectl(
        "wait", "--for=condition=Ready", "pod", "--all", "-n", NAMESPACE, "--timeout=60s", timeout=70
    )
    service = bookinfo.get("service", "istio-ingressgateway", "-n", "istio-system")
    ingress = service["status"].get("loadBalancer", {}).get("ingress")
    address = ingress[0]["ip"] if ingress else ""
    yield Stage(bookinfo, bookinfo.pod("istio=ingressgateway", "istio-system"), address)
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def witness(stage: Stage, case: Case) -> list[Seen]:
    """What the proxy logs for the requests of a case; nothing else goes through the caller's proxy meanwhile."""
    before = len(stage.log(case))
    stage.send(case)

    def new_lines() -> list[str] | None:
        lines = stage.log(case)[before:]
        return lines if len(lines) >= case.requests else None

    what = f"{case.requests} lines in the log"
    lines = stage.log(case)[before:] if case.expected == "direct" else labs.wait_until(new_lines, what=what)
    found = [match for line in lines or () if (match := LINE.match(line))]
    return [
        Seen(int(one["status"]), one["flags"], one["host"], one["cluster"], one["route"]) for one in found
    ]


def is_share(count: int, total: int, percent: float) -> bool:
    share = percent / 100
    return abs(count - total * share) <= SIGMAS * math.sqrt(total * share * (1 - share)) + 1e-9


def check_agreement(explained: dict[str, Any], seen: list[Seen]) -> None:
    outcome = explained["outcome"]
    targets = {target["cluster"]: target for target in outcome["targets"]}
    took = [one for one in seen if one.host != "-"]
    for one in took:
        assert one.cluster in targets, (one, outcome)
        endpoints = targets[one.cluster]["endpoints"]
        # Where a name leads outside of the mesh is for DNS to say; the client here goes to an address of its choice.
        assert one.host in endpoints or endpoints == ["original destination"], (one, outcome)
    counts = Counter(one.cluster for one in took)
    for name, target in targets.items():
        assert is_share(counts[name], len(seen), target["percent"]), (name, counts, outcome)
    statuses = Counter(one.status for one in seen if one.host == "-")
    for answer in outcome["answers"]:
        assert is_share(statuses[answer["status"]], len(seen), answer["percent"]), (statuses, outcome)
    assert sum(statuses.values()) == 0 or outcome["answers"], (statuses, outcome)
    routes = [step for step in explained["steps"] if step["stage"] == "route" and step["name"] != "none"]
    named = {step["name"] for step in routes if not step["name"].startswith("route ")}
    assert not named or {one.route for one in seen} <= named, (named, seen[0])


@pytest.mark.parametrize("case", explained_cases.CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_what_is_explained_is_what_envoy_does(stage: Stage, case: Case) -> None:
    if case.origin == "gateway" and not stage.address:
        pytest.skip("this host gives load balancers no address")
    objects = case.objects
    if "ADDRESS" in objects:
        pod = stage.lab.get("pod", "web-v1", "-n", NAMESPACE)
        objects = objects.replace("ADDRESS", pod["status"]["podIP"])
    stage.change(case, objects)
    try:
        explained, seen = observe(stage, case)
        assert explained["outcome"]["kind"] == case.expected, explained["outcome"]
        assert len(seen) == (0 if case.expected == "direct" else case.requests)
        if seen:
            check_agreement(explained, seen)
        check_sources(stage, explained, case)
    finally:
        if objects:
            stage.lab.kubectl("delete", "--wait=false", "-f", "-", stdin=objects)


def observe(stage: Stage, case: Case) -> tuple[dict[str, Any], list[Seen]]:
    """Explain and send; once more when the configuration or the endpoints changed meanwhile."""
    for _ in range(3):
        before = stage.explain(case)
        seen = witness(stage, case)
        if stage.explain(case) == before:
            return before, seen
    raise AssertionError(f"{case.name}: the explanation does not hold still")


def check_sources(stage: Stage, explained: dict[str, Any], case: Case) -> None:
    """Objects and fields that are named exist."""
    kinds = ("virtualservices", "destinationrules", "serviceentries", "gateways")
    istio = ",".join(f"{kind}.networking.istio.io" for kind in kinds)
    items = stage.lab.get(f"services,pods,configmaps,{istio}", "-A")["items"]
    objects = {
        f"{item['kind']} {item['metadata']['namespace']}/{item['metadata']['name']}": item for item in items
    }
    for step in explained["steps"]:
        for source in step["sources"]:
            found: Any = objects[source["object"]]
            for word, index in re.findall(r"([A-Za-z]+)|\[(\d+)\]", source["field"]):
                found = found[word] if word else found[int(index)]
            assert found, (case.name, source)


def test_a_rule_for_others_is_no_source(stage: Stage) -> None:
    """The negative control: a check that names the wrong rule, or an endpoint that takes nothing, is caught."""
    explained = {
        "outcome": {
            "targets": [{"cluster": "a", "percent": 100.0, "endpoints": ["1.1.1.1:1"]}],
            "answers": [],
        },
        "steps": [],
    }
    good = Seen(200, "-", "1.1.1.1:1", "a", "-")
    check_agreement(explained, [good] * 40)
    for bad in (
        Seen(200, "-", "1.1.1.2:1", "a", "-"),
        Seen(200, "-", "1.1.1.1:1", "b", "-"),
        Seen(503, "UH", "-", "a", "-"),
    ):
        with pytest.raises(AssertionError):
            check_agreement(explained, [good] * 39 + [bad])

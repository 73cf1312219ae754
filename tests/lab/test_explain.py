"""
What `bookmesh explain` says is what Envoy does: the same request, explained and then sent many times.

For each case the proxy's access log is the witness: cluster, endpoint, status and name of the route of every request.
All cases are in force at once and sent in one go; what is explained before and after must be the same.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.lab import explained_cases, labs
from tests.lab.explained_cases import CASES, NAMESPACE, Case

from bookmesh.cli.explain import callers, command, following, requests, trails
from bookmesh.mesh.injection import interception
from bookmesh.tasks import splits

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

# Without a load balancer's address nobody can call the gateway.
POSSIBLE: Final = [case for case in CASES if case.origin == "caller" or labs.HAS_ADDRESSES]
CONFIDENCE: Final = 1 - 1e-8
# The log's fields that matter here, from its end: host, cluster, three addresses, server name, route.
LINE: Final = re.compile(
    r'^\[\S+\] "(?P<request>[^"]*)" (?P<status>\d+) (?P<flags>\S+) (?P<details>\S+) .*'
    r'"(?P<agent>[^"]*)" "(?:[^"]*)" "(?P<authority>[^"]*)" "(?P<host>[^"]*)" (?P<cluster>\S+) '
    r"\S+ (?P<called>\S+) \S+ (?P<sni>\S+) (?P<route>\S+)$"
)
KINDS: Final = ("virtualservices", "destinationrules", "serviceentries", "gateways")
OBJECTS: Final = ",".join(
    ("services", "pods", "configmaps", *(f"{kind}.networking.istio.io" for kind in KINDS))
)


@dataclass(frozen=True)
class Seen:
    """One line of the proxy's log."""

    status: int
    flags: str
    host: str
    cluster: str
    route: str


@dataclass(frozen=True)
class Stage:
    """The lab with the workloads; `places` are name and namespace of the pods whose proxies are asked, by origin."""

    lab: labs.Lab
    places: dict[str, tuple[str, str]]
    address: str

    def ask(self, origin: str, path: str) -> str:
        pod, namespace = self.places[origin]
        request = ("pilot-agent", "request", "GET", path)
        return self.lab.kubectl("exec", pod, "-n", namespace, "-c", "istio-proxy", "--", *request).stdout

    def is_ready(self, origin: str) -> bool:
        """Whether a proxy has what was applied last."""
        return explained_cases.MARKER in self.ask(origin, "config_dump?resource=dynamic_route_configs")

    def explain(self) -> dict[str, following.Explanation]:
        """What is explained of each case, from one look at the cluster and its proxies."""
        objects = self.lab.get(OBJECTS, "-A")["items"]
        proxies = {origin: self._proxy(origin) for origin in {case.origin for case in POSSIBLE}}
        return {case.name: self._explain(case, objects, proxies[case.origin]) for case in POSSIBLE}

    def _proxy(self, origin: str) -> trails.Proxy:
        dump = command.dumps.parse(json.loads(self.ask(origin, "config_dump?include_eds")))
        statuses = trails.statuses_of(json.loads(self.ask(origin, "clusters?format=json")))
        return trails.Proxy(dump, statuses, is_gateway=origin == "gateway")

    def _explain(self, case: Case, objects: list[Any], proxy: trails.Proxy) -> following.Explanation:
        pods = [item for item in objects if item["kind"] == "Pod"]
        caller = callers.find_caller(pods, *self.places[case.origin])
        world = command.build_world(objects, caller)
        asked = requests.parse_request(case.method, case.address, case.headers)
        gateway = caller if proxy.is_gateway else None
        rules = None if proxy.is_gateway else interception.rules_for(caller)
        known = trails.Proxy(proxy.dump, proxy.statuses, proxy.is_gateway, rules)
        return following.follow(known, callers.resolve(asked, world, gateway=gateway), world)

    def send(self) -> None:
        """Send every case as often as it wants, one request after the other."""
        lines: dict[str, list[str]] = defaultdict(list)
        for case in POSSIBLE:
            lines[case.origin].append(self._command(case))
        inside = "\n".join(lines["caller"])
        # As the input of a shell: together it is longer than a command may be.
        shell = ("exec", "-i", "caller", "-n", NAMESPACE, "-c", "curl", "--", "sh")
        self.lab.kubectl(*shell, stdin=inside, timeout=300)
        labs.run(["sh", "-c", "\n".join(lines["gateway"])], env=self.lab.env)

    def _command(self, case: Case) -> str:
        """One curl for all requests of a case, which may use a connection again; a connection each for bytes."""
        _, _, rest = case.address.partition("://")
        place, _, _ = rest.partition("/")
        if case.address.startswith("tcp:"):
            once = f"echo hello | nc {place.replace(':', ' ')} >/dev/null"
            return f"i=0; while [ $i -lt {case.requests} ]; do {once}; i=$((i+1)); done; true"
        words = ["curl", "-s", "-k", "--path-as-is", "--max-time", "10", "-A", case.slug, "-X", case.method]
        words += [part for each in case.headers for part in ("-H", each)]
        target = self.address if case.origin == "gateway" else case.connect or ("web" if case.rules else "")
        if target:
            words += ["--connect-to", f"::{target}:"]
        return (
            " ".join(map(shlex.quote, [*words, *[case.address] * case.requests]))
            + " </dev/null >/dev/null; true"
        )

    @contextlib.contextmanager
    def followed(self, folder: Path) -> Iterator[list[Path]]:
        """
        Copy the log of both proxies to files, as it is written.

        When a log is full it is put aside, and what is in it is not shown any more: the gateway's has the lines of all
        tests before.
        """
        with contextlib.ExitStack() as stack:
            files = []
            for pod, namespace in self.places.values():
                files.append(folder / f"{pod}.log")
                command = [
                    labs.BOOKMESH,
                    "kubectl",
                    "--name",
                    self.lab.name,
                    "logs",
                    "-f",
                    pod,
                    "-n",
                    namespace,
                ]
                with files[-1].open("wb") as out:
                    process = subprocess.Popen(
                        [*map(str, command), "-c", "istio-proxy"], env=self.lab.env, stdout=out
                    )
                stack.callback(process.wait)
                stack.callback(process.terminate)
            labs.wait_until(lambda: all(file.stat().st_size for file in files), what="the logs so far")
            yield files

    @staticmethod
    def lines(logs: list[Path]) -> dict[str, list[Seen]]:
        """
        The lines by what tells cases apart: the client's name, else the name in the TLS greeting, else the address
        that was called.
        """
        found: dict[str, list[Seen]] = defaultdict(list)
        for text in (log.read_text() for log in logs):
            for match in filter(None, map(LINE.match, text.splitlines())):
                key = next(one for one in (match["agent"], match["sni"], match["called"]) if one != "-")
                fields = (match["flags"], match["host"], match["cluster"], match["route"])
                found[key].append(Seen(int(match["status"]), *fields))
        return found


@dataclass(frozen=True)
class Observed:
    """What was explained before and after, and what the proxies logged in between."""

    before: dict[str, following.Explanation]
    after: dict[str, following.Explanation]
    lines: dict[str, list[Seen]]
    objects: dict[str, Any]

    def seen(self, case: Case) -> list[Seen]:
        if case.address.startswith("http:"):
            return self.lines.get(case.slug, [])
        host, _, port = case.address.partition("://")[2].partition("/")[0].partition(":")
        service = self.objects.get(f"Service {NAMESPACE}/{host}")
        called = f"{service['spec']['clusterIP']}:{port}" if service is not None else ""
        return self.lines.get(host) or self.lines.get(called, [])


@pytest.fixture(scope="module")
def observed(bookinfo: labs.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    bookinfo.apply(explained_cases.WORKLOADS.replace("ADDRESS", "192.0.2.1"))
    try:
        ready = ("wait", "--for=condition=Ready", "pod", "--all", "-n", NAMESPACE, "--timeout=60s")
        bookinfo.kubectl(*ready, timeout=70)
        address = bookinfo.get("pod", "web-v1", "-n", NAMESPACE)["status"]["podIP"]
        workloads = explained_cases.WORKLOADS.replace("ADDRESS", address)
        bookinfo.apply(workloads + explained_cases.CONFIGURATION)
        yield observe(stage_for(bookinfo), tmp_path_factory.mktemp("logs"))
    finally:
        bookinfo.kubectl("delete", "namespace", NAMESPACE)


def stage_for(lab: labs.Lab) -> Stage:
    service = lab.get("service", "istio-ingressgateway", "-n", "istio-system")
    ingress = service["status"].get("loadBalancer", {}).get("ingress")
    places = {
        "caller": ("caller", NAMESPACE),
        "gateway": (lab.pod("istio=ingressgateway", "istio-system"), "istio-system"),
    }
    return Stage(lab, places, ingress[0]["ip"] if ingress else "")


def observe(stage: Stage, folder: Path) -> Observed:
    labs.wait_until(
        lambda: all(map(stage.is_ready, stage.places)), what="the proxies have what was applied last"
    )
    before = stage.explain()
    expected = sum(case.requests for case in POSSIBLE if case.expected != "direct")
    names = {case.slug for case in POSSIBLE}

    def all_lines(logs: list[Path]) -> dict[str, list[Seen]] | None:
        lines = stage.lines(logs)
        return (
            lines
            if sum(len(found) for key, found in lines.items() if is_ours(key, names)) >= expected
            else None
        )

    with stage.followed(folder) as logs:
        stage.send()
        lines = labs.wait_until(lambda: all_lines(logs), what=f"{expected} lines in the logs")
    items = stage.lab.get(OBJECTS, "-A")["items"]
    objects = {f"{i['kind']} {i['metadata']['namespace']}/{i['metadata']['name']}": i for i in items}
    return Observed(before, stage.explain(), lines or {}, objects)


def is_ours(key: str, names: set[str]) -> bool:
    """Other tests may have sent something through the gateway."""
    return key in names or key.endswith((".outside.example.com", ":9000", ":443"))


def is_share(count: int, total: int, percent: float) -> bool:
    low, high = splits.bounds_for(percent / 100, total, confidence=CONFIDENCE)
    return low <= count <= high


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


def check_sources(explained: dict[str, Any], objects: dict[str, Any]) -> None:
    """Objects and fields that are named exist."""
    for step in explained["steps"]:
        for source in step["sources"]:
            found: Any = objects[source["object"]]
            for word, index in re.findall(r"([A-Za-z]+)|\[(\d+)\]", source["field"]):
                found = found[word] if word else found[int(index)]
            assert found, source


@pytest.mark.parametrize("case", POSSIBLE, ids=lambda case: case.slug)
def test_what_is_explained_is_what_envoy_does(observed: Observed, case: Case) -> None:
    explained = observed.before[case.name].as_json()
    assert explained == observed.after[case.name].as_json(), "the explanation does not hold still"
    assert explained["outcome"]["kind"] == case.expected, explained["outcome"]
    seen = observed.seen(case)
    assert len(seen) == (0 if case.expected == "direct" else case.requests)
    if seen:
        check_agreement(explained, seen)
    check_sources(explained, observed.objects)


def test_a_wrong_explanation_is_caught() -> None:
    """The negative control: another cluster, another endpoint and an answer nobody announced are found out."""
    targets = [{"cluster": "a", "percent": 100.0, "endpoints": ["1.1.1.1:1"]}]
    explained = {"outcome": {"targets": targets, "answers": []}, "steps": []}
    good = Seen(200, "-", "1.1.1.1:1", "a", "-")
    check_agreement(explained, [good] * 40)
    for bad in (
        Seen(200, "-", "1.1.1.2:1", "a", "-"),
        Seen(200, "-", "1.1.1.1:1", "b", "-"),
        Seen(503, "UH", "-", "a", "-"),
    ):
        with pytest.raises(AssertionError):
            check_agreement(explained, [good] * 39 + [bad])

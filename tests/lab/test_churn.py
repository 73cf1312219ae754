"""
Configuration that never stops changing, under load: no request fails, whatever is created, changed and deleted.

Changes go straight to the API server, as a controller would make them; requests go through the ingress gateway, and
from the product page's sidecar to those of reviews and ratings. The fast test makes 25 changes, the slow one 200:

    pytest -m slow -s tests/lab/test_churn.py        # CHURN_SEED=… repeats a run
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.lab import labs

from bookmesh.lab import keys, paths

pytestmark = pytest.mark.lab

RATE = 300  # requests a second
WORKERS = 6
REQUESTS_A_CHANGE = 12
GROUP = "networking.istio.io"
PLURALS = {
    "VirtualService": "virtualservices",
    "DestinationRule": "destinationrules",
    "ServiceEntry": "serviceentries",
    "Gateway": "gateways",
    "Sidecar": "sidecars",
    "EnvoyFilter": "envoyfilters",
}


def version_of(kind: str) -> str:
    return f"{GROUP}/{'v1alpha3' if kind == 'EnvoyFilter' else 'v1'}"


def place_of(kind: str) -> str:
    return f"/apis/{version_of(kind)}/namespaces/default/{PLURALS[kind]}"


# A 404 of the application's own would hide one of the mesh: these paths exist, and one goes through two more sidecars.
PATHS = ("/api/v1/products", "/api/v1/products/0/reviews", "/api/v1/products/0/ratings", "/api/v1/products/0")


class Api:
    """One kept connection to the API server."""

    def __init__(self, lab: labs.Lab) -> None:
        directory = lab.home / lab.name
        found = paths.LabPaths(lab.name, directory)
        context = keys.Keys(found.pki).client_context()
        port = json.loads(found.settings.read_text())["port"]
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = json.dumps(body) if body is not None else None
        self._connection.request(method, path, sent, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def put(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        """Create the object, or replace its spec."""
        place = place_of(kind)
        body = {
            "apiVersion": version_of(kind),
            "kind": kind,
            "metadata": {"name": name, "namespace": "default"},
            "spec": spec,
        }
        status, answer = self.call("POST", place, body)
        if status == http.client.CONFLICT:
            _, before = self.call("GET", f"{place}/{name}")
            body["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
            status, answer = self.call("PUT", f"{place}/{name}", body)
            if status == http.client.CONFLICT:  # its status was written meanwhile
                return self.put(kind, name, spec)
        assert status in (200, 201), answer
        return None

    def delete(self, kind: str, name: str) -> None:
        status, answer = self.call("DELETE", f"{place_of(kind)}/{name}")
        assert status in (200, 404), answer

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"{place_of(kind)}/{name}")[1]
        return found

    def are_synced(self) -> bool:
        """Whether every proxy has accepted all it was given."""
        status = self.call("GET", "/lab/v1/status")[1]
        return all(proxy["synced"] for proxy in status["proxies"])


class Load:
    """Requests at a constant rate on kept connections; `answers` counts statuses, `failures` says what went wrong."""

    def __init__(self, page: str) -> None:
        parts = urllib.parse.urlsplit(page)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._next_s = time.monotonic()
        self.answers: Counter[int] = Counter()
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(WORKERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def total(self) -> int:
        return sum(self.answers.values()) + len(self.failures)

    def _turn(self) -> float:
        """The time of the next request; after a delay they come as fast as they can until they have caught up."""
        with self._lock:
            turn_s, self._next_s = self._next_s, self._next_s + 1 / RATE
            return turn_s

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        choice = random.Random(number)
        while not self._stopping.wait(max(0.0, self._turn() - time.monotonic())):
            path = choice.choice(PATHS)
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.failures.append(f"{path}: {type(error).__name__}: {error}")
                continue
            self.answers[response.status] += 1
            if response.status != http.client.OK:
                self.failures.append(f"{path}: {response.status} {body[:200]!r}")
        connection.close()


@contextlib.contextmanager
def load(page: str) -> Iterator[Load]:
    running = Load(page)
    running.start()
    try:
        yield running
    finally:
        running.stop()


class Changes:
    """
    Random changes, each of which leaves a valid mesh: routes name subsets that exist, and a subset goes only when no
    route names it any more. In between nobody waits, so that changes overtake each other.
    """

    def __init__(self, api: Api, random_: random.Random) -> None:
        self._api = api
        self._random = random_
        self._subsets: dict[str, str] = {}  # extra subsets of reviews: name -> version
        self._routed: set[str] = set()
        self._objects: dict[tuple[str, str], None] = {}
        self.made: Counter[str] = Counter()

    def make_one(self) -> None:
        change = self._random.choice(
            (
                self.route,
                self.route,
                self.subset,
                self.subset,
                self.policy,
                self.entry,
                self.gateway,
                self.remove,
            )
        )
        change()
        self.made[change.__name__] += 1

    def route(self) -> None:
        """Split traffic to reviews anew, with a few settings besides."""
        names = ["v1", "v2", "v3", *self._subsets]
        chosen = self._random.sample(names, self._random.randint(1, min(3, len(names))))
        weights = [100 // len(chosen)] * len(chosen)
        weights[0] += 100 - sum(weights)
        routes = [
            {"destination": {"host": "reviews", "subset": name}, "weight": weight}
            for name, weight in zip(chosen, weights, strict=True)
        ]
        route: dict[str, Any] = {"route": routes, "timeout": f"{self._random.randint(10, 30)}s"}
        if self._random.random() < 0.3:
            route["retries"] = {"attempts": 2, "perTryTimeout": "10s"}
        if self._random.random() < 0.3:
            route["headers"] = {"response": {"set": {"x-round": str(self._random.random())}}}
        self._put("VirtualService", "reviews", {"hosts": ["reviews"], "http": [route]})
        self._routed = set(chosen)

    def subset(self) -> None:
        """A new subset of reviews, or one less that no route names."""
        idle = [name for name in self._subsets if name not in self._routed]
        if idle and self._random.random() < 0.5:
            del self._subsets[self._random.choice(idle)]
        else:
            version = self._random.choice(("v1", "v2", "v3"))
            self._subsets[f"{version}-{self._random.randrange(1000)}"] = version
        self.policy()

    def policy(self) -> None:
        """The DestinationRule of reviews with other settings, so that every cluster of it is another one."""
        balancer = self._random.choice(("ROUND_ROBIN", "RANDOM", "LEAST_REQUEST"))
        pool = {"tcp": {"connectTimeout": f"{self._random.randint(5, 20)}s"}}
        labels = {name: name for name in ("v1", "v2", "v3")} | self._subsets
        self._put(
            "DestinationRule",
            "reviews",
            {
                "host": "reviews",
                "trafficPolicy": {"loadBalancer": {"simple": balancer}, "connectionPool": pool},
                "subsets": [
                    {"name": name, "labels": {"version": version}} for name, version in labels.items()
                ],
            },
        )

    def entry(self) -> None:
        """A service that nobody calls, on a port that others use as well, or on one of its own."""
        number = self._random.randrange(4)
        port = self._random.choice((80, 9080, 9443, 7000 + number))
        protocol = {9443: "TLS", 80: "HTTP", 9080: "HTTP"}.get(port, "TCP")
        address = [f"240.0.0.{number + 1}"] if protocol == "TCP" else []
        spec = {
            "hosts": [f"entry-{number}.example.com"],
            "addresses": address,
            "ports": [{"number": port, "name": f"{protocol.lower()}-x", "protocol": protocol}],
            "resolution": "STATIC",
            "location": "MESH_EXTERNAL",
            "endpoints": [{"address": f"192.0.2.{self._random.randint(1, 250)}"}],
        }
        self._put("ServiceEntry", f"entry-{number}", spec)

    def gateway(self) -> None:
        """One more host on the gateway's port, with a route of its own."""
        number = self._random.randrange(3)
        host = f"{self._random.choice('abc')}.gateway-{number}.example.com"
        server = {"port": {"number": 8080, "name": "http", "protocol": "HTTP"}, "hosts": [host]}
        self._put(
            "Gateway", f"extra-{number}", {"selector": {"istio": "ingressgateway"}, "servers": [server]}
        )
        route = {"route": [{"destination": {"host": self._random.choice(("details", "ratings"))}}]}
        self._put(
            "VirtualService",
            f"extra-{number}",
            {"hosts": [host], "gateways": [f"extra-{number}"], "http": [route]},
        )

    def remove(self) -> None:
        """Delete one of the objects that nothing else needs."""
        free = [key for key in self._objects if key != ("DestinationRule", "reviews")]
        if not free:
            return
        kind, name = self._random.choice(free)
        del self._objects[kind, name]
        self._api.delete(kind, name)
        if (kind, name) == ("VirtualService", "reviews"):
            self._routed = set()

    def clean_up(self) -> None:
        for kind, name in self._objects:
            self._api.delete(kind, name)

    def _put(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        self._api.put(kind, name, spec)
        self._objects[kind, name] = None


@pytest.fixture
def api(bookinfo: labs.Lab) -> Iterator[Api]:
    with contextlib.closing(Api(bookinfo)) as opened:
        yield opened


def churn(lab: labs.Lab, api: Api, count: int) -> None:
    seed = int(os.environ.get("CHURN_SEED") or random.randrange(10**6))
    sys.stdout.write(f"seed {seed}\n")
    lab.apply_sample("subsets.yaml", "routes-all-v1.yaml")
    changes = Changes(api, random.Random(seed))
    wait = random.Random(seed + 1)
    labs.wait_until(api.are_synced, what="a quiet mesh")
    try:
        with load(lab.page) as running:
            for _ in range(count):
                changes.make_one()
                seen = running.total()
                labs.wait_until(
                    lambda seen=seen: running.total() >= seen + REQUESTS_A_CHANGE, what="requests"
                )  # type: ignore[misc]
                # Sometimes as fast as the API takes it, sometimes with time to come into effect.
                if wait.random() < 0.7:
                    labs.wait_until(
                        api.are_synced, what=f"the change to be accepted (seed {seed})", within_s=60
                    )
            labs.wait_until(api.are_synced, what=f"the last change to be accepted (seed {seed})", within_s=60)
    finally:
        changes.clean_up()
        lab.apply_sample("subsets.yaml", "routes-all-v1.yaml")
    total = running.total()
    sys.stdout.write(f"{total} requests, {dict(changes.made)}, answers {dict(running.answers)}\n")
    assert running.failures == [], f"seed {seed}: {len(running.failures)} of {total}: {running.failures[:5]}"


@pytest.mark.timeout(300)
def test_no_request_fails_while_configuration_changes(bookinfo: labs.Lab, api: Api) -> None:
    churn(bookinfo, api, 25)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_request_fails_during_200_changes(bookinfo: labs.Lab, api: Api) -> None:
    churn(bookinfo, api, 200)


def test_what_envoy_refuses_changes_nothing_for_traffic_and_is_reported(bookinfo: labs.Lab, api: Api) -> None:
    bookinfo.apply_sample("subsets.yaml", "routes-all-v1.yaml")
    labs.wait_until(api.are_synced, what="a quiet mesh")
    with load(bookinfo.page) as running:
        try:
            api.put(
                "EnvoyFilter",
                "patch",
                {"configPatches": [patch_of_routes({"safe_regex": {"regex": "/([a-z"}})]},
            )
            labs.wait_until(
                lambda: condition(api) == ("False", "EnvoyRejected"), what="the refusal as a condition"
            )
            labs.wait_until(lambda: has_finding(bookinfo), what="the refusal as a finding")
            labs.wait_until(
                lambda: "EnvoyRejected" in bookinfo.kubectl("get", "events", "-o", "json").stdout,
                what="the refusal as an event",
            )
            seen = running.answers[200]
            labs.wait_until(
                lambda: running.answers[200] > seen + RATE, what="traffic with the last good routes"
            )
            api.put("EnvoyFilter", "patch", {"configPatches": [patch_of_routes({"prefix": "/"})]})
            labs.wait_until(lambda: condition(api)[0] == "True", what="the mended object to be accepted")
            labs.wait_until(lambda: not has_finding(bookinfo), what="no finding any more")
        finally:
            api.delete("EnvoyFilter", "patch")
    assert running.failures == []


def patch_of_routes(match: dict[str, Any]) -> dict[str, Any]:
    """Lay a condition over the routes to reviews."""
    host = {"vhost": {"name": "reviews.default.svc.cluster.local:9080"}}
    return {
        "applyTo": "HTTP_ROUTE",
        "match": {"context": "SIDECAR_OUTBOUND", "routeConfiguration": host},
        "patch": {"operation": "MERGE", "value": {"match": match}},
    }


def condition(api: Api) -> tuple[str, str]:
    conditions = api.get("EnvoyFilter", "patch").get("status", {}).get("conditions") or [{}]
    return conditions[0].get("status", ""), conditions[0].get("reason", "")


def has_finding(lab: labs.Lab) -> bool:
    return any(finding["code"] == "BM0206" for finding in lab.status()["findings"])

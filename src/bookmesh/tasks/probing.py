"""Probes: what an expectation looks at. A probe that cannot be made is an observation with an error, not a crash."""

from __future__ import annotations

import json
import re
import secrets
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bookmesh.base import durations
from bookmesh.tasks import curling, ingress, outside
from bookmesh.tasks import format as formats
from bookmesh.tasks.kubectl import ClusterError, Done, Kubectl
from bookmesh.tasks.records import Observation

ENVOY_ADMIN_PORT = 15000


@dataclass(frozen=True, slots=True)
class Prober:
    """Looks at one run's namespace of one cluster."""

    kubectl: Kubectl
    namespace: str
    directory: Path
    gateway: ingress.Gateway
    authorities: dict[str, str] = field(default_factory=dict)
    """Certificates in PEM of authorities that steps of this run made, by name."""
    identities: dict[str, str] = field(default_factory=dict)
    """Certificates and keys in PEM of secrets that steps of this run made, by name."""

    def probe(self, expectation: formats.Expectation) -> Observation:
        """Look once."""
        try:
            return self._probe(expectation)
        except ClusterError as error:
            return Observation(error=str(error))

    def send(self, request: formats.Request) -> Observation:
        """
        Make the requests.

        Raises:
            ClusterError: the client's pod or the gateway cannot be reached at all.
        """
        if request.from_ == formats.OUTSIDE:
            exchanges = outside.send(
                request,
                self.gateway.address(),
                self.directory,
                authorities=self.authorities,
                identities=self.identities,
            )
            if any(exchange.error for exchange in exchanges):
                self.gateway.forget()
            return Observation(exchanges=exchanges)
        mark = f"--{secrets.token_hex(8)}"
        container = ["-c", request.container] if request.container else []
        done = self.kubectl.run(
            "exec", "-i", "-n", self.namespace, f"deploy/{request.from_}", *container, "--", *curling.COMMAND,
            stdin=curling.build_config(request, mark),
            timeout_s=durations.parse_duration_s(request.timeout) * request.n / request.concurrency + 10,
        )  # fmt: skip
        exchanges = curling.parse_output(done.stdout, mark, request)
        if not exchanges:
            raise ClusterError(f"curl in deploy/{request.from_}: {done.output or f'exit code {done.exit}'}")
        return Observation(exchanges=exchanges)

    def execute(self, command: formats.Exec) -> Done:
        """Run a command in a container."""
        container = ["-c", command.container] if command.container else []
        return self.kubectl.run(
            "exec", "-n", self.namespace, command.of, *container, "--", *command.command,
            timeout_s=durations.parse_duration_s(command.timeout),
        )  # fmt: skip

    def _probe(self, expectation: formats.Expectation) -> Observation:
        if expectation.request:
            return self.send(expectation.request)
        if expectation.exec:
            done = self.execute(expectation.exec)
            return Observation(text=done.output, exit=done.exit)
        if expectation.logs:
            return self._logs(expectation.logs)
        if expectation.stats:
            return self._stats(expectation.stats)
        if expectation.get:
            done = self.kubectl.must("get", "-n", self.namespace, expectation.get.of, "-o", "json")
            return Observation(text=done.stdout)
        raise AssertionError("an expectation without a probe")  # rules.check_task refuses it

    def _logs(self, logs: formats.Logs) -> Observation:
        if logs.after:
            self.send(logs.after)
        container = ["-c", logs.container] if logs.container else []
        done = self.kubectl.must("logs", "-n", self.namespace, logs.of, *container)
        return Observation(text=done.stdout)

    def _stats(self, stats: formats.Stats) -> Observation:
        with self.kubectl.forwarding(stats.of, ENVOY_ADMIN_PORT, namespace=self.namespace) as port:
            url = f"http://127.0.0.1:{port}/stats?usedonly"
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    text = answer.read().decode()
            except OSError as error:
                raise ClusterError(f"Envoy's statistics of {stats.of}: {error}") from error
        found = _matching_stats(text, stats.name)
        shown = "\n".join(f"{name}: {value:g}" for name, value in found.items())
        return Observation(text=shown, value=sum(found.values()) if found else None)


def _matching_stats(text: str, pattern: str) -> dict[str, float]:
    """Take counters and gauges whose whole name matches; histograms have no one value."""
    wanted = re.compile(pattern)
    found: dict[str, float] = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(": ")
        if wanted.fullmatch(name) and re.fullmatch(r"\d+", value):
            found[name] = float(value)
    return found


def describe(expectation: formats.Expectation) -> str:
    """Write the probe in one line, for reports."""
    probe = getattr(expectation, formats.probe_of(expectation))
    if isinstance(probe, formats.Request):
        return _describe_request(probe)
    if isinstance(probe, formats.Exec):
        return f"exec {probe.of}: {' '.join(probe.command)}"
    if isinstance(probe, formats.Logs):
        after = f" after {_describe_request(probe.after)}" if probe.after else ""
        return " ".join(filter(None, ("logs", probe.of, probe.container))) + after
    facts = json.loads(msgspec.json.encode(probe))
    return f"{formats.probe_of(expectation)} " + " ".join(str(value) for value in facts.values() if value)


def _describe_request(request: formats.Request) -> str:
    times = f" x {request.n}" if request.n > 1 else ""
    together = f", {request.concurrency} at a time" if request.concurrency > 1 else ""
    headers = "".join(f" -H {name}:{value}" for name, value in request.headers.items())
    method = "TCP" if request.url.startswith("tcp://") else request.method
    return f"{method} {request.url}{headers} from {request.from_}{times}{together}"

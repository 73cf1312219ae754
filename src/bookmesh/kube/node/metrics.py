"""
What containers and the node use now, as objects of `metrics.k8s.io`: rates between the last two looks.

A container that started since the last look is measured from its start, so that a new pod has metrics at once.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import records
from bookmesh.kube.sandbox.usage import Usage

API_VERSION: Final = "metrics.k8s.io/v1beta1"
_LEAST_WINDOW_S: Final = 1.0
"""A rate over less than this says more about the start of a process than about its load."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one run of a container; `run` tells runs apart."""

    pod: JsonObject
    container: str
    run: str
    started_at: datetime.datetime
    usage: Usage


class Metrics:
    """What the node measured last, until the next look; empty before the first one."""

    def __init__(self) -> None:
        self._at: datetime.datetime | None = None
        self._earlier: dict[str, Usage] = {}
        self._machine: Usage | None = None
        self._pods: tuple[JsonObject, ...] = ()
        self._nodes: tuple[JsonObject, ...] = ()

    def pods(self) -> Sequence[JsonObject]:
        """PodMetrics of every pod with a running container."""
        return self._pods

    def nodes(self) -> Sequence[JsonObject]:
        """NodeMetrics of the node, from the second look on."""
        return self._nodes

    def note(
        self, readings: Iterable[Reading], *, machine: Usage, node: JsonObject, now: datetime.datetime
    ) -> None:
        """Take a look at everything that runs."""
        taken = list(readings)
        by_pod: dict[str, list[tuple[Reading, float]]] = {}
        for reading in taken:
            since, before = self._before(reading)
            window_s = (now - since).total_seconds()
            if window_s >= _LEAST_WINDOW_S:
                rate = max(0.0, reading.usage.cpu_s - before.cpu_s) / window_s
                by_pod.setdefault(reading.pod["metadata"]["uid"], []).append((reading, rate))
        window_s = (now - self._at).total_seconds() if self._at else _LEAST_WINDOW_S
        self._pods = tuple(
            build_pod_metrics(of_pod, now=now, window_s=window_s) for of_pod in by_pod.values()
        )
        if self._machine is not None:
            rate = (machine.cpu_s - self._machine.cpu_s) / window_s
            self._nodes = (build_node_metrics(node, rate, machine.memory, now=now, window_s=window_s),)
        self._machine, self._at = machine, now
        self._earlier = {reading.run: reading.usage for reading in taken}

    def _before(self, reading: Reading) -> tuple[datetime.datetime, Usage]:
        earlier = self._earlier.get(reading.run)
        if earlier is None or self._at is None:
            return reading.started_at, Usage(0.0, 0)
        return self._at, earlier


def build_pod_metrics(
    readings: Sequence[tuple[Reading, float]], *, now: datetime.datetime, window_s: float
) -> JsonObject:
    """Build the object of one pod from its containers and the cores they use; not empty."""
    metadata = readings[0][0].pod["metadata"]
    return {
        "kind": "PodMetrics",
        "apiVersion": API_VERSION,
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "creationTimestamp": records.format_time(now),
            "labels": metadata.get("labels") or {},
        },
        **_when(now, window_s),
        "containers": [
            {"name": reading.container, "usage": usage_of(rate, reading.usage.memory)}
            for reading, rate in sorted(readings, key=lambda each: each[0].container)
        ],
    }


def build_node_metrics(
    node: JsonObject, rate: float, memory: int, *, now: datetime.datetime, window_s: float
) -> JsonObject:
    """Build the object of the node; `rate` in cores, `memory` in bytes."""
    return {
        "kind": "NodeMetrics",
        "apiVersion": API_VERSION,
        "metadata": {
            "name": node["metadata"]["name"],
            "creationTimestamp": records.format_time(now),
            "labels": node["metadata"].get("labels") or {},
        },
        **_when(now, window_s),
        "usage": usage_of(rate, memory),
    }


def usage_of(rate: float, memory: int) -> JsonObject:
    """Write cores and bytes as quantities, in the units of the kubelet."""
    return {"cpu": f"{math.ceil(rate * 1e9)}n", "memory": f"{memory // 1024}Ki"}


def _when(now: datetime.datetime, window_s: float) -> JsonObject:
    return {"timestamp": records.format_time(now), "window": f"{window_s:.3f}s"}

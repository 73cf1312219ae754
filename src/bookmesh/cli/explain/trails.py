"""What is looked at while a request is followed, and the steps found so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bookmesh.cli.explain import sources
from bookmesh.cli.explain.requests import Request
from bookmesh.cli.explain.sources import Source
from bookmesh.cli.istioctl import dumps
from bookmesh.cli.istioctl.dumps import JsonObject
from bookmesh.mesh.injection.interception import InterceptionRules


@dataclass(frozen=True, slots=True)
class Step:
    """`stage` is the kind of thing, `name` which one, `why` what made Envoy take it; `sources` may be empty."""

    stage: str
    name: str
    why: str
    sources: tuple[Source, ...] = ()

    def as_json(self) -> dict[str, Any]:
        found = [each.as_json() for each in self.sources]
        return {"stage": self.stage, "name": self.name, "why": self.why, "sources": found}


@dataclass(frozen=True, slots=True)
class Proxy:
    """
    The Envoy that is asked: what it has (`dump`), how its endpoints are (`statuses`, by cluster), whether it is a
    gateway, and which connections of its pod it takes (`rules`; None: all).
    """

    dump: dumps.Dump
    statuses: Mapping[str, Sequence[JsonObject]] = field(default_factory=dict)
    is_gateway: bool = False
    rules: InterceptionRules | None = None


@dataclass(slots=True)
class Trail:
    """One request on its way through one proxy."""

    proxy: Proxy
    request: Request
    world: sources.World
    steps: list[Step] = field(default_factory=list)

    def add(self, stage: str, name: str, why: str, found: Sequence[Source] = ()) -> None:
        self.steps.append(Step(stage, name, why, tuple(dict.fromkeys(found))))

    @property
    def place(self) -> sources.Place:
        return sources.Place(self.request.port, is_gateway=self.proxy.is_gateway)


def statuses_of(answer: JsonObject) -> dict[str, list[JsonObject]]:
    """Take apart what Envoy answers to `clusters?format=json`: the hosts of each cluster, by its name."""
    return dict(_statuses(answer))


def _statuses(answer: JsonObject) -> Iterator[tuple[str, list[JsonObject]]]:
    for cluster in answer.get("cluster_statuses", []):
        yield cluster["name"], cluster.get("host_statuses", [])

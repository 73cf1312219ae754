"""Endpoints: the addresses behind one port of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bookmesh.mesh.registry import workloads as workloads_

DRAINING_LABEL: Final = "istio.io/draining"
Health = Literal["ready", "unready", "draining"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One address behind one service port. `ip` is a DNS name when the service is resolved by DNS, and a path when it
    starts with `unix://`. `workload` is None for addresses that are no pods of this cluster. `own_labels`,
    `own_locality` and `weight` are those that a ServiceEntry gives. Only a `ready` endpoint takes whatever comes; one
    that drains is for whom it has served before.
    """

    ip: str
    port: int
    workload: workloads_.Workload | None = None
    own_labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    own_locality: workloads_.Locality | None = None
    weight: int = 1
    health: Health = "ready"

    @property
    def speaks_mtls(self) -> bool:
        return self.workload is not None and self.workload.speaks_mtls

    @property
    def labels(self) -> Mapping[str, str]:
        if self.own_labels or self.workload is None:
            return self.own_labels
        return self.workload.labels

    @property
    def locality(self) -> workloads_.Locality:
        if self.own_locality is not None:
            return self.own_locality
        return self.workload.locality if self.workload is not None else workloads_.Locality()

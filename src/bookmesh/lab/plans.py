"""How a cluster shall come up: what the command says that starts it, and how it was when it last ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bookmesh.lab import extents, labs


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a lab process is told.

    Attributes:
        extent: how much of a cluster runs.
        port: of the API server; None means the one it had, or a free one.
        real_internet: whether pods reach what this machine reaches, instead of the simulated Internet.
        size: what the node offers in place of what the machine has, by resource, such as `cpu`; may be empty.
        audit_log: where requests are written down; "" is nowhere.
        previous: how the cluster was when it last ran, if it did: it keeps its ports and addresses if it can.
    """

    extent: extents.Extent
    port: int | None
    real_internet: bool
    size: Mapping[str, str]
    previous: labs.LabSettings | None
    audit_log: str = ""

    @property
    def preferred_port(self) -> int:
        """The port to try; 0 means a free one."""
        return self.port or (self.previous.port if self.previous else 0)

    @property
    def preferred_proxy_port(self) -> int:
        """The port for programs of the host that go through the simulated Internet; 0 means a free one."""
        return self.previous.proxy_port if self.previous else 0

    @property
    def previous_slot(self) -> int | None:
        """The slot that the cluster had; None when it had no node."""
        return (self.previous.slot or None) if self.previous else None

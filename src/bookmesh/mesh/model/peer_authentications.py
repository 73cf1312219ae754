"""PeerAuthentication (security.istio.io): whether workloads accept plain connections, mTLS, or both."""

from __future__ import annotations

from typing import Literal

from bookmesh.mesh.model.base import Model
from bookmesh.mesh.model.matching import WorkloadSelector

_LAST_PORT = 65535


class MutualTls(Model, frozen=True):
    """
    What is accepted.

    mode: STRICT accepts mTLS only, PERMISSIVE both, DISABLE plain text only; UNSET is what the wider policy says.
    """

    mode: Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"] | None = None


class PeerAuthentication(Model, frozen=True):
    """
    What the workloads of a namespace, of the whole mesh (in the root namespace), or some of a namespace accept.

    selector: The pods to which it applies; all of the namespace without it.
    mtls: What their ports accept.
    port_level_mtls: What single ports accept, by the number of the port in the pod; needs a selector.
    """

    selector: WorkloadSelector | None = None
    mtls: MutualTls | None = None
    port_level_mtls: dict[str, MutualTls] = {}

    @property
    def is_for_workloads(self) -> bool:
        return self.selector is not None and bool(self.selector.match_labels)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.port_level_mtls and not self.is_for_workloads:
            raise ValueError("portLevelMtls needs a selector: ports are those of single workloads")
        for port in self.port_level_mtls:
            if not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
                raise ValueError(f'"{port}" in portLevelMtls is not a port from 1 to {_LAST_PORT}')

"""WorkloadEntry (networking.istio.io): one workload that is no pod."""

from __future__ import annotations

from typing import Annotated, Final

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model, PortNumber, UInt32

UNIX: Final = "unix://"


class WorkloadEntry(Model, frozen=True):
    """
    One address at which a workload that is no pod answers.

    address: An IP address, a DNS name or unix:///path.
    ports: Ports by the names of the ports of the service.
    labels: Labels by which services and subsets select it.
    network: The network of the address.
    locality: region/zone/subzone.
    weight: The share of traffic.
    service_account: The identity with which it proves who it is; with one it is called by mTLS.
    """

    address: str = ""
    ports: dict[str, PortNumber] = {}
    labels: dict[str, str] = {}
    network: Annotated[str, NOT_ACTED_ON] = ""
    locality: str = ""
    weight: UInt32 = 0
    service_account: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.address and not self.network:
            raise ValueError("address is required")
        if self.address.startswith(UNIX):
            path = self.address.removeprefix(UNIX)
            if not path.startswith(("/", "@")) or path.endswith("/"):
                raise ValueError(f'"{self.address}" is neither {UNIX}/PATH of a file nor {UNIX}@NAME')
            if self.ports:
                raise ValueError("an address in the file system has no ports")

"""
What is outside for one lab, put together: the simulated Internet or the real one, and what pods trust there.

The certificates of simulated hosts are trusted by being in the bundle that programs read by default. Variables and
options by which a person or a pod names another bundle still count.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, Protocol

import dns.message

from bookmesh.base import findings
from bookmesh.kube.node.ports import Forks
from bookmesh.kube.sandbox.network import NodeNetwork
from bookmesh.kube.sandbox.specification import Mount
from bookmesh.lab import paths
from bookmesh.lab.images import catalogue
from bookmesh.lab.internet import authority, hosts, proxying, simulation

BUNDLE: Final = "/etc/bookmesh/ca-certificates.crt"
"""Where the bundle is in every pod, whatever the host's distribution."""
_RESOLVERS: Final = Path("/etc/resolv.conf")


class Internet(Protocol):
    """What lies behind the node."""

    async def run(self) -> NoReturn:
        """Serve until cancelled."""
        ...

    async def resolve(self, query: dns.message.Message) -> dns.message.Message:
        """Answer a query for a name outside the cluster; OSError or DNSException when nobody can."""
        ...

    def findings(self) -> list[findings.Finding]: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """`trust` is for the images of the lab, `proxy` for programs of the host, which reach the real Internet without."""

    internet: Internet
    trust: catalogue.Trust
    proxy: proxying.Proxy | None = None

    @property
    def proxy_port(self) -> int:
        """The port of the proxy on loopback; 0 without one."""
        return self.proxy.port if self.proxy is not None else 0

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self.internet.run())
            if self.proxy is not None:
                parts.create_task(self.proxy.run())


def open_internet(
    lab: paths.LabPaths,
    node: NodeNetwork,
    forks: Forks,
    *,
    real: bool,
    proxy_port: int,
    envoy: Path,
) -> Outside:
    """
    Prepare the Internet of a lab; nothing runs before `run`. `proxy_port` is the one for programs of the host, if it is
    free, else any.

    Raises:
        BookmeshError: BM0340, the hosts that a person gave cannot be used.
    """
    if real:
        # Imported here: the clients for DNS that it brings along take longer than all else about it.
        from bookmesh.lab.internet import outlet

        lines = _RESOLVERS.read_text().splitlines() if _RESOLVERS.exists() else []
        return Outside(outlet.Outlet(node, outlet.nameservers(lines)), catalogue.Trust())
    own = hosts.read([lab.hosts]) if lab.hosts.exists() else ()
    signer = authority.Authority.ensure(lab.pki / "internet")
    simulated = simulation.Simulation(
        node,
        forks,
        hosts.arrange(hosts.load(), own),
        signer,
        envoy=envoy,
        log=lab.directory / "internet.log",
    )
    proxy = proxying.Proxy(proxying.listen(preferred_port=proxy_port), simulated.connect)
    return Outside(simulated, build_trust(lab.bundle, signer), proxy)


def build_trust(bundle: Path, signer: authority.Authority) -> catalogue.Trust:
    """Write the bundle and show it to images, at its own place and over the host's."""
    over = authority.write_bundle(bundle, signer)
    return catalogue.Trust(
        mounts=tuple(Mount(str(bundle), target, read_only=True) for target in (BUNDLE, *over)),
        env={"SSL_CERT_FILE": BUNDLE},
    )

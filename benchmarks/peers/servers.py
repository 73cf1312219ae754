"""Who takes part: our services, their Go counterparts, and Istio's own where somebody has installed them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from peers.processes import Server

LEAF_CONNECTIONS = 64
PAGE_CONNECTIONS = 32
GO_SOURCE = Path(__file__).with_name("bookinfo.go")

OURS, GO, NODE = "Bookmesh", "Go net/http", "Istio, Node"
FLASK_ONE, FLASK_EIGHT = "Istio, Flask, 1 worker", "Istio, Flask, 8 workers"
LEAVES = ("ratings", "details", "reviews v1")
CALLING = "reviews v3 (asks ratings)"
PAGE = "productpage"


@dataclass(frozen=True)
class Backends:
    """Where details, reviews (v3) and ratings are that everybody under measurement calls."""

    ports: Mapping[str, int]

    def sample_environment(self) -> dict[str, str]:
        """The variables that our services and Istio's read."""
        found: dict[str, str] = {}
        for name, port in self.ports.items():
            found[f"{name.upper()}_HOSTNAME"] = "127.0.0.1"
            found[f"{name.upper()}_SERVICE_PORT"] = str(port)
        return found

    def go_environment(self) -> dict[str, str]:
        return {f"{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in self.ports.items()}


def build_go(directory: Path) -> Path | None:
    """Compile the Go peers; None where there is no Go."""
    go = shutil.which("go")
    if go is None:
        return None
    program = directory / "bookinfo"
    done = subprocess.run(
        [go, "build", "-o", program, GO_SOURCE], env={**os.environ, "GO111MODULE": "off"}, check=False
    )
    if done.returncode:
        sys.exit("go build failed")
    return program


def build_backends(go: Path | None) -> tuple[Backends, list[Server]]:
    """
    Return the services behind the measured ones, in the order to start them.

    They are the fastest there are, so that they are not what is measured.
    """
    backends = Backends({name: free_port() for name in ("details", "ratings", "reviews")})
    servers = []
    for name, port in backends.ports.items():
        version = "v3" if name == "reviews" else "v1"
        servers.append(
            ours(name, version, backends, port=port)
            if go is None
            else go_peer(go, name, version, backends, port=port)
        )
    return backends, servers


def ours(service: str, version: str, backends: Backends, *, port: int | None = None) -> Server:
    """One of our services as it runs by default: metrics, JSON log, limits, drain."""
    port = port or free_port()
    return Server(
        group=group_for(service, version),
        name=OURS,
        command=(sys.executable, "-m", "bookinfo", service, "--host", "127.0.0.1", "--port", str(port)),
        port=port,
        path=path_for(service),
        connections=connections_for(service),
        environment={
            **backends.sample_environment(),
            "SERVICE_VERSION": version,
            "HOSTNAME": f"{service}-{version}",
        },
    )


def go_peer(
    program: Path, service: str, version: str, backends: Backends, *, port: int | None = None
) -> Server:
    port = port or free_port()
    stars = {"ENABLE_RATINGS": "true", "STAR_COLOR": "red"} if version == "v3" else {}
    return Server(
        group=group_for(service, version),
        name=GO,
        command=(str(program), service, f"127.0.0.1:{port}"),
        port=port,
        path=path_for(service),
        connections=connections_for(service),
        environment={**backends.go_environment(), **stars},
    )


def istio_ratings(directory: Path) -> Server:
    """Istio's ratings.js from a folder in which `npm install` was run."""
    require(directory / "ratings.js", "--istio-ratings")
    require(directory / "node_modules", "--istio-ratings")
    port = free_port()
    return Server(
        group="ratings",
        name=NODE,
        command=("node", "ratings.js", str(port)),
        port=port,
        path=path_for("ratings"),
        connections=LEAF_CONNECTIONS,
        environment={"SERVICE_VERSION": "v1"},
        directory=directory,
    )


def istio_page(directory: Path, python: Path, backends: Backends, *, workers: int) -> Server:
    """Istio's productpage, started as its Dockerfile does but for the number of workers."""
    require(directory / "productpage.py", "--istio-productpage")
    require(python, "--istio-productpage-python")
    port = free_port()
    options = ("-b", f"127.0.0.1:{port}", "-w", str(workers), "--keep-alive", "2", "-k", "gevent")
    return Server(
        group=PAGE,
        name=FLASK_ONE if workers == 1 else FLASK_EIGHT,
        command=(str(python), "-m", "gunicorn", *options, "productpage:app"),
        port=port,
        path=path_for("productpage"),
        connections=PAGE_CONNECTIONS,
        environment=backends.sample_environment(),
        directory=directory,
    )


def require(path: Path, option: str) -> None:
    if not path.exists():
        sys.exit(f"{option}: there is no {path}")


def group_for(service: str, version: str) -> str:
    if service != "reviews":
        return service
    return CALLING if version == "v3" else "reviews v1"


def path_for(service: str) -> str:
    return "/productpage" if service == "productpage" else f"/{service}/0"


def connections_for(service: str) -> int:
    return PAGE_CONNECTIONS if service == "productpage" else LEAF_CONNECTIONS


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

"""A proxy of a world in YAML as a real Envoy, its listeners on free ports, small servers behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.envoy import applications, envoys
from tests.golden.translate import worlds
from tests.local_ports import free_port

SERVICES = ("one", "two", "three", "echo")
PORTS = ("80", "443", "8080", "8081", "8443")


@dataclass(frozen=True)
class Proxy:
    """A running proxy: local ports by the port that it serves, and what the applications were asked."""

    ports: dict[int, int]
    requests: dict[str, list[str]]

    def get(self, path: str, host: str, *, port: int = 80, method: str = "GET", **headers: str) -> Any:
        return applications.get(self.ports[port], path, method=method, Host=host, **headers)

    def server(self, path: str, host: str, *, port: int = 80, method: str = "GET", **headers: str) -> str:
        """The application that answers."""
        answer = self.get(path, host, port=port, method=method, **headers)
        assert answer.status == 200, answer
        return str(answer.seen["application"]) if answer.body else answer.headers["x-application"]


@contextmanager
def running(
    file: Path,
    directory: Path,
    *,
    servers: Mapping[str, int] | None = None,
    pods: Mapping[str, str] | None = None,
) -> Iterator[Proxy]:
    """
    Start Envoy for the proxy of a world.

    Args:
        pods: addresses of pods, by the names of recording applications that stand for them: their endpoints stay.
        servers: local ports of one's own servers, by the name of the Service that they stand for; the services "one",
            "two", "three" and "echo" are recording applications.
    """
    world = worlds.load(file)
    assert world.proxy is not None
    config = envoys.static_bootstrap(world.resources(), world.proxy, mark=0)
    ports = _listen_locally(config["static_resources"])
    with ExitStack() as stack:
        recordings = {name: stack.enter_context(applications.recording(name)) for name in SERVICES}
        backends = {name: recording.port for name, recording in recordings.items()} | dict(servers or {})
        for cluster in config["static_resources"]["clusters"]:
            name = cluster["name"].split("|")[-1].split(".")[0]
            if name in backends:
                _point(cluster, backends[name])
        started = {name: stack.enter_context(applications.recording(name)) for name in pods or {}}
        _move(config["static_resources"], {(pods or {})[name]: pod.port for name, pod in started.items()})
        recordings |= started
        stack.enter_context(envoys.running(config, directory))
        yield Proxy(ports, {name: recording.requests for name, recording in recordings.items()})


def _listen_locally(static: dict[str, Any]) -> dict[int, int]:
    """Keep the listeners of `PORTS` alone, each on a free port of 127.0.0.1; returns those by the port they are for."""
    ports: dict[int, int] = {}
    kept = []
    for listener in static["listeners"]:
        address, _, number = listener["name"].rpartition("_")
        if address == "0.0.0.0" and number in PORTS:
            ports[int(number)] = free_port()
            local = {"address": "127.0.0.1", "port_value": ports[int(number)]}
            listener["address"]["socket_address"] = local
            listener["bind_to_port"] = True
            kept.append(listener)
    static["listeners"] = kept
    return ports


def _move(static: dict[str, Any], ports: Mapping[str, int]) -> None:
    """Let the endpoints of pods be local ports, in plain text; their priorities and weights stay."""
    for cluster in static["clusters"]:
        for group in cluster.get("load_assignment", {}).get("endpoints", ()):
            for each in group.get("lb_endpoints", ()):
                address = each["endpoint"]["address"].get("socket_address", {})
                if address.get("address") in ports:
                    address |= {"port_value": ports[address["address"]], "address": "127.0.0.1"}
                    cluster.pop("upstream_bind_config", None)
                    cluster.pop("transport_socket_matches", None)


def _point(cluster: dict[str, Any], port: int) -> None:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    cluster.pop("upstream_bind_config", None)
    cluster.pop("transport_socket_matches", None)
    cluster |= {"type": "STATIC", "lb_policy": "ROUND_ROBIN"}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster["load_assignment"] = {"cluster_name": cluster["name"], "endpoints": endpoints}

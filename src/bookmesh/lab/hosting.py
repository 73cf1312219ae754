"""What every process of a cluster does, whatever runs in it: listen, wait for the end, run parts in the background."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
import zlib
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, Final

from bookmesh.base import findings

_LOOK_AGAIN_S: Final = 1.0
_NAMED: Final = range(20_000, 30_000)  # below node ports, and what the kernel gives to those who ask for any
_log = logging.getLogger(__name__)


def spare_collector() -> None:
    """
    Let the garbage collector look at everything rarely: it does so in one go, and meanwhile nobody is answered.

    By default that happens whenever there is a quarter more than last time, and takes 0.1 s with 1,000 services. What
    lives long here is not part of cycles; what is, mostly errors with their tracebacks, goes while it is young. What
    there is by now, modules above all, it never looks at: to do so once costs as much as a twentieth of a start.
    """
    gc.freeze()
    gc.set_threshold(2_000, 10, 250)
    gc.enable()


def end_of(lifeline: int | None, record: Path) -> asyncio.Event:
    """
    An event that is set when the process shall end: at SIGTERM, SIGINT, when `lifeline` closes, or without `record`.

    Args:
        lifeline: read end of a pipe whose other end belongs to whoever needs the cluster; None without one.
        record: the file by which commands find the process. When somebody deletes it, or it names another one,
            nobody could end this one any more.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if lifeline is not None:

        def closed() -> None:
            loop.remove_reader(lifeline)
            stopping.set()

        loop.add_reader(lifeline, closed)
    loop.call_later(_LOOK_AGAIN_S, _look_after, record, None, stopping)
    return stopping


def _look_after(record: Path, before: bytes | None, stopping: asyncio.Event) -> None:
    """Look at the record now and then. Whoever started the process may write it after the start, so not at once."""
    try:
        content = record.read_bytes()
    except FileNotFoundError:
        content = b""
    if not content or before not in (None, content):
        _log.error("the lab ends: %s is gone, or names another process", record)
        stopping.set()
    else:
        asyncio.get_running_loop().call_later(_LOOK_AGAIN_S, _look_after, record, content, stopping)


def port_of(name: str) -> int:
    """The port on which the API server of a lab of this name listens by itself."""
    return _NAMED[zlib.crc32(name.encode()) % len(_NAMED)]


def listen_for(name: str, port: int, *, is_wanted: bool) -> socket.socket:
    """
    Listen for the API server of a lab; without a port, on that of its name, or on any if that is in use.

    The kernel gives the port of a name to nobody who asks for any: it is still free after a moment in which the lab is
    down.

    Raises:
        BookmeshError: BM0102, the port is in use.
    """
    if port:
        return listen(port, is_wanted=is_wanted)
    with contextlib.suppress(OSError):
        return socket.create_server(("127.0.0.1", port_of(name)))
    return listen(0, is_wanted=False)


def listen(port: int, *, is_wanted: bool) -> socket.socket:
    """
    Listen for the API server on loopback.

    Raises:
        BookmeshError: BM0102, the port is in use.
    """
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "in use" if error.errno == errno.EADDRINUSE else "not allowed to an ordinary user"
        other = (
            "--port with another one" if is_wanted else "--port with a free one; the kubeconfig is rewritten"
        )
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0102",
                message=f"port {port} on 127.0.0.1, for the API server, is {why}",
                hint=f"use {other}, or end the program that has it",
            )
        ) from error


@contextlib.asynccontextmanager
async def running(*parts: Coroutine[Any, Any, object]) -> AsyncIterator[list[asyncio.Task[object]]]:
    """Run parts in the background; they are cancelled and awaited at the end."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(part) for part in parts]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def first_of(parts: list[asyncio.Task[object]], *awaited: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of `awaited`; a part that ends meanwhile has failed, and its error is raised."""
    waiting: list[asyncio.Task[object]] = [asyncio.create_task(one) for one in awaited]
    try:
        done, _ = await asyncio.wait([*parts, *waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
            if task in parts:
                raise RuntimeError(f"a part of the lab ended by itself: {task.get_coro()}")
    finally:
        for task in waiting:
            task.cancel()

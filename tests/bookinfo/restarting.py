"""What restarts are tried with: replicas behind a balancer that follows readiness, and a load that does not wait."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bookinfo import processes

PROBE_EVERY_S = 0.1
ANSWER_LIMIT_S = 10.0
KEPT_CONNECTIONS = 8
LONGEST_REST_S = 0.5
"""
A kept connection that was not used for longer is not used again: a server may close one that rests for its whole
shutdown delay, and a request that is on its way then is lost, whatever the server does.
"""


class Replica(processes.Process):
    """A process that can also be ended without a word."""

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()


class Replicas:
    """Two processes of one service; one of them can be ended and replaced at any time."""

    def __init__(self, directory: Path, service: str, variables: Mapping[str, str]) -> None:
        self._directory, self._service = directory, service
        # The delay is the services' own default; the tests' other processes leave at once.
        self._variables = {"SHUTDOWN_DELAY_S": "1.0", **variables}
        self._numbers = itertools.count()
        self.running = [self._start(), self._start()]

    def _start(self) -> Replica:
        label = f"{self._service}-replica-{next(self._numbers)}"
        return Replica(self._directory, self._service, label, self._variables)

    def urls(self) -> list[str]:
        return [process.url for process in self.running]

    async def restart(self, position: int) -> int:
        """SIGTERM one replica, wait until it has ended, start another; return the exit code of the old one."""
        code = await asyncio.to_thread(self.running[position].stop)
        self.running[position] = await asyncio.to_thread(self._start)
        await asyncio.to_thread(lambda: self.running[position].url)
        return code

    def stop(self) -> None:
        for process in self.running:
            process.stop()


class Balancer:
    """
    Balances connections as a Kubernetes Service does: new ones go to replicas that say they are ready.

    It does not understand HTTP, never tries twice, and leaves connections alone that are open already.
    """

    def __init__(self, replicas: Replicas, port: int) -> None:
        self._replicas = replicas
        self._port = port
        self.ready: list[str] = []
        self._turn = itertools.count()
        self._pipes: set[Pipe] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen and probe until the end of the block; returns from entering when both replicas are ready."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accept, "127.0.0.1", self._port)
        probing = asyncio.create_task(self._probe())
        try:
            await self.all_ready()
            yield
        finally:
            probing.cancel()
            server.close()
            for pipe in list(self._pipes):
                pipe.close()
            await asyncio.gather(probing, return_exceptions=True)
            await server.wait_closed()

    async def all_ready(self) -> None:
        async with asyncio.timeout(processes.START_S):
            while set(self.ready) != set(self._replicas.urls()):
                await asyncio.sleep(PROBE_EVERY_S / 4)

    async def _probe(self) -> None:
        while True:
            urls = await asyncio.to_thread(self._replicas.urls)
            results = await asyncio.gather(*(is_ready(url) for url in urls))
            self.ready = [url for url, ready in zip(urls, results, strict=True) if ready]
            await asyncio.sleep(PROBE_EVERY_S)

    def _accept(self) -> Pipe:
        return Pipe(self.ready[next(self._turn) % len(self.ready)] if self.ready else None, self._pipes)


class Pipe(asyncio.Protocol):
    """One side of a balanced connection; `other` is the opposite side. What one side gets, the other writes."""

    def __init__(self, url: str | None, open_pipes: set[Pipe], other: Pipe | None = None) -> None:
        self._url = url
        self._open = open_pipes
        self._other = other
        self._transport: asyncio.Transport | None = None
        self._early = b""
        """What the client sent before the connection to the replica was there."""
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)
        if self._other is not None:
            self._other._joined(self)
        elif self._url is None:
            transport.abort()
        else:
            self._connecting = asyncio.create_task(self._connect(self._url))

    async def _connect(self, url: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: Pipe(None, self._open, self), *address(url))
        except OSError:
            self.close()

    def _joined(self, other: Pipe) -> None:
        self._other = other
        assert self._transport is not None
        if self._transport.is_closing():
            other.close()
        elif self._early:
            other.send(self._early)

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._early += data
        else:
            self._other.send(data)

    def send(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        if self._other is not None:
            self._other.close()

    def close(self) -> None:
        """Close after what is written has been sent."""
        if self._transport is not None:
            self._transport.close()


def address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


async def is_ready(url: str) -> bool:
    """Ask for /readyz once; a replica that cannot be asked is not ready."""
    try:
        connection = await Connection.open(*address(url))
        try:
            return (await connection.ask("/readyz", keep=False))[0] == 200
        finally:
            connection.close()
    except (OSError, EOFError, TimeoutError):
        return False


class Connection:
    """One HTTP connection of a client that never repeats a request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._is_kept = True
        self._used_at = 0.0

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        return cls(*await asyncio.open_connection(host, port))

    async def ask(self, path: str, *, keep: bool) -> tuple[int, bytes]:
        """Return status and body. Raises OSError, EOFError or TimeoutError when there is no whole answer."""
        async with asyncio.timeout(ANSWER_LIMIT_S):
            end = "keep-alive" if keep else "close"
            self._writer.write(f"GET {path} HTTP/1.1\r\nhost: test\r\nconnection: {end}\r\n\r\n".encode())
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await self._reader.readexactly(int(fields["content-length"]))
        self._is_kept = keep and fields.get("connection") != "close"
        self._used_at = asyncio.get_running_loop().time()
        return int(head.split(" ", 2)[1]), body

    def is_usable(self) -> bool:
        """Whether another request may be sent on it."""
        rested_s = asyncio.get_running_loop().time() - self._used_at
        return self._is_kept and rested_s < LONGEST_REST_S and not self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()


@dataclass
class Load:
    """
    Requests sent at fixed times whether or not earlier ones were answered: half on kept connections, half on new ones.

    Every answer must be 200 and pass `check`; anything else is a failure, and nothing is tried again.
    """

    port: int
    path: str
    check: Callable[[bytes], bool]
    per_second: int
    answered: int = 0
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    _kept: deque[Connection] = field(default_factory=deque)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in Counter(self.failures).items())
        return (
            f"{self.answered} answers, {len(self.failures)} failures{kinds and f' ({kinds})'},"
            f" slowest {self.slowest_s * 1000:.0f} ms"
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send requests during the block, and wait for the last answers at its end."""
        stopping = asyncio.Event()
        sending = asyncio.create_task(self._send(stopping))
        try:
            yield
        finally:
            stopping.set()
            await sending
            while self._kept:
                self._kept.pop().close()

    async def _send(self, stopping: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                await asyncio.sleep(max(0.0, began + number / self.per_second - clock()))
                if stopping.is_set():
                    return
                group.create_task(self._ask(keep=number % 2 == 0))

    async def _ask(self, *, keep: bool) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            connection = await self._connection(keep=keep)
            try:
                status, body = await connection.ask(self.path, keep=keep)
            except BaseException:
                connection.close()
                raise
        except (OSError, EOFError, TimeoutError) as error:
            kind = "kept" if keep else "new"
            self.failures.append(f"{kind} connection: {type(error).__name__} {error}")
            return
        if keep:
            self._kept.append(connection)
        else:
            connection.close()
        if status != 200 or not self.check(body):
            self.failures.append(
                f"status {status}, {len(body)} bytes" if status == 200 else f"status {status}"
            )
        self.answered += 1
        self.slowest_s = max(self.slowest_s, clock() - began)

    async def _connection(self, *, keep: bool) -> Connection:
        """The kept connection that has rested longest, so that all are used; a new one while there are too few."""
        while keep and len(self._kept) >= KEPT_CONNECTIONS:
            connection = self._kept.popleft()
            if connection.is_usable():
                return connection
            connection.close()
        return await Connection.open("127.0.0.1", self.port)

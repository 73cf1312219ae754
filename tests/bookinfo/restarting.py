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

SHUTDOWN_DELAY_S = "1.0"
"""How long a replica goes on serving after SIGTERM: the services' own default."""
PROBE_EVERY_S = 0.1
MOST_SILENCES = 3
NOTICE_S = 0.5
LONGEST_BURST_S = 0.05
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


class Balancer:
    """
    Balances connections between two replicas of a service, as a Kubernetes Service does with ready pods.

    A replica gets new connections from its first 200 on /readyz until it answers anything else, or nothing three times,
    or until `NOTICE_S` after it was told to end: a cluster deletes the endpoint then, however late the next probe is.
    The balancer does not understand HTTP, never tries twice, and leaves connections alone that are open already.
    """

    def __init__(self, directory: Path, service: str, variables: Mapping[str, str], *, port: int) -> None:
        self._directory, self._service, self._port = directory, service, port
        self._variables = {"SHUTDOWN_DELAY_S": SHUTDOWN_DELAY_S, **variables}
        self._numbers = itertools.count()
        self._turn = itertools.count()
        self._ready: list[str] = []
        self._pipes: set[Pipe] = set()
        self.replicas = [self._start(), self._start()]

    def _start(self) -> Replica:
        label = f"{self._service}-replica-{next(self._numbers)}"
        return Replica(self._directory, self._service, label, self._variables)

    def stop(self) -> None:
        for replica in self.replicas:
            replica.stop()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Balance during the block, which begins when both replicas are ready."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accept, "127.0.0.1", self._port)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._probing = [group.create_task(self._probe(replica.url)) for replica in self.replicas]
                await self._all_ready()
                yield
                for probing in self._probing:
                    probing.cancel()
        finally:
            server.close()
            for pipe in list(self._pipes):
                pipe.close()
            await server.wait_closed()

    async def restart(self, position: int) -> int:
        """SIGTERM one replica, start another when it has ended, wait until that is ready; return the exit code."""
        ending = asyncio.create_task(asyncio.to_thread(self.replicas[position].stop))
        await asyncio.sleep(NOTICE_S)
        self._probing[position].cancel()
        self._set_ready(self.replicas[position].url, ready=False)
        code = await ending
        self.replicas[position] = await asyncio.to_thread(self._start)
        url = await asyncio.to_thread(lambda: self.replicas[position].url)
        self._probing[position] = self._group.create_task(self._probe(url))
        await self._all_ready()
        return code

    async def _all_ready(self) -> None:
        async with asyncio.timeout(processes.START_S):
            while len(self._ready) < len(self.replicas):
                await asyncio.sleep(PROBE_EVERY_S / 4)

    async def _probe(self, url: str) -> None:
        silences = 0
        while True:
            status = await ask_ready(url)
            silences = silences + 1 if status is None else 0
            if status is not None or silences >= MOST_SILENCES:
                self._set_ready(url, ready=status == 200)
            await asyncio.sleep(PROBE_EVERY_S)

    def _set_ready(self, url: str, *, ready: bool) -> None:
        self._ready = [other for other in self._ready if other != url] + [url] * ready

    def _accept(self) -> Pipe:
        return Pipe(self._ready[next(self._turn) % len(self._ready)] if self._ready else None, self._pipes)


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


async def ask_ready(url: str) -> int | None:
    """Return the status of /readyz; None when there is no answer."""
    try:
        connection = await Connection.open(*address(url))
        try:
            return (await connection.ask("/readyz", keep=False))[0]
        finally:
            connection.close()
    except (OSError, EOFError, TimeoutError):
        return None


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
    latest_s: float = 0.0
    """By how much a request was sent after its time: how busy the machine of the test was."""
    failures: list[str] = field(default_factory=list)
    _kept: deque[Connection] = field(default_factory=deque)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in Counter(self.failures).items())
        return (
            f"{self.answered} answers, {len(self.failures)} failures{kinds and f' ({kinds})'},"
            f" slowest {self.slowest_s * 1000:.0f} ms, sent at most {self.latest_s * 1000:.0f} ms late"
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
        due = clock()
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                await asyncio.sleep(max(0.0, due - clock()))
                if stopping.is_set():
                    return
                late_s = clock() - due
                self.latest_s = max(self.latest_s, late_s)
                group.create_task(self._ask(keep=number % 2 == 0))
                # What a busy machine could not send in time is left out: a burst would only make it busier.
                due += 1 / self.per_second + max(0.0, late_s - LONGEST_BURST_S)

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

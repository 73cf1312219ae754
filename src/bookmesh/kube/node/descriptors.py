"""Read and write pipes and terminals on the event loop."""

from __future__ import annotations

import asyncio
import errno
import os

_BLOCK = 64 * 1024


class DescriptorReader:
    """Owns the descriptor of a pipe or pty and reads it."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd

    async def read(self) -> bytes:
        """Return the next data, b"" at the end; the end of a pty is an end, not an error."""
        while self._fd >= 0:
            try:
                return os.read(self._fd, _BLOCK)
            except BlockingIOError:
                await _ready(self._fd, write=False)
            except OSError as error:
                if error.errno == errno.EIO:
                    return b""
                raise
        return b""

    async def read_all(self, *, limit: int) -> bytes:
        """Read to the end; return the first `limit` bytes."""
        output = b""
        while chunk := await self.read():
            output = (output + chunk)[:limit]
        return output

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class DescriptorWriter:
    """Owns the descriptor of a pipe or pty and writes to it; what nobody reads any more is dropped."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view and self._fd >= 0:
            try:
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:
                await _ready(self._fd, write=True)
            except OSError as error:
                if error.errno not in (errno.EPIPE, errno.EIO):
                    raise
                return

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


async def _ready(fd: int, *, write: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def notify() -> None:
        if not ready.done():
            ready.set_result(None)

    if write:
        loop.add_writer(fd, notify)
    else:
        loop.add_reader(fd, notify)
    try:
        await ready
    finally:
        if write:
            loop.remove_writer(fd)
        else:
            loop.remove_reader(fd)

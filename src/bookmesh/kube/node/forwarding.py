"""
Forwarding of TCP connections between two networks, inside the event loop: bytes, ends and errors pass both ways.

A slow reader slows its writer down, one direction may end before the other, and a broken connection breaks the other
one too, so that neither program takes an error for a regular end.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final, cast

Connect = Callable[[socket.socket], Awaitable[socket.socket | None]]
"""From the connection that came in to the one to forward it to; None to have it reset."""

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Forwarder:
    """Knows the connections that are being forwarded."""

    def __init__(self) -> None:
        self.sides: set[_Side] = set()

    def protocol(self, connect: Connect) -> Callable[[], asyncio.Protocol]:
        """
        Make the protocol factory of a server.

        `connect` is called once for each connection that comes in, with its socket, which it may ask for addresses; it
        returns a connected, non-blocking socket, or None to have the connection reset.
        """
        return lambda: _Incoming(self, connect)

    def reset_all(self) -> None:
        """Break all connections off."""
        for side in list(self.sides):
            side.reset()


class _Side(asyncio.Protocol):
    """One of the two connections of a forwarded one; `peer` is the other, None until it exists."""

    def __init__(self, forwarder: Forwarder) -> None:
        self.forwarder = forwarder
        self.transport: asyncio.Transport | None = None
        self.peer: _Side | None = None
        self.has_ended = False
        # What came before there was a peer: pausing in `connection_made` comes too early for uvloop.
        self.early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self.forwarder.sides.add(self)

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)
        else:
            self.early += data
            if self.transport is not None:
                self.transport.pause_reading()

    def eof_received(self) -> bool:
        """Pass the end on and keep the other direction; when both have ended, close."""
        self.has_ended = True
        if self.peer is None or self.peer.transport is None:
            return True
        if self.peer.has_ended:
            self.peer.transport.close()
            return False
        if not self.peer.transport.is_closing():
            self.peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        """This side takes no more for now: read no more from the other."""
        if self.peer is not None and self.peer.transport is not None and not self.peer.transport.is_closing():
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.forwarder.sides.discard(self)
        peer, self.peer = self.peer, None
        if peer is None:
            return
        if exc is not None:
            peer.reset()
        elif peer.transport is not None:
            peer.transport.close()

    def reset(self) -> None:
        """Break the connection off, so that its other end sees an error and not an early end."""
        if self.transport is None or self.transport.is_closing():
            return
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()


class _Incoming(_Side):
    """The connection that came in; what it says waits until the other one exists."""

    def __init__(self, forwarder: Forwarder, connect: Connect) -> None:
        super().__init__(forwarder)
        self._connect = connect
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(asyncio.Transport, transport).pause_reading()
        self._opening = asyncio.ensure_future(self._open(transport.get_extra_info("socket")))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._opening is not None:
            self._opening.cancel()
        super().connection_lost(exc)

    async def _open(self, incoming: socket.socket) -> None:
        made = await self._connect(incoming)
        if made is None:
            self.reset()
            return
        outgoing = _Outgoing(self.forwarder, self)
        try:
            await asyncio.get_running_loop().create_connection(lambda: outgoing, sock=made)
        except OSError:  # it broke at once
            made.close()
            self.reset()


class _Outgoing(_Side):
    """The connection that was made for it; it starts the flow in both directions."""

    def __init__(self, forwarder: Forwarder, incoming: _Incoming) -> None:
        super().__init__(forwarder)
        self._incoming = incoming

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        incoming = self._incoming
        if incoming.transport is None or incoming.transport.is_closing():
            transport.close()
            return
        self.peer, incoming.peer = incoming, self
        upstream = cast(asyncio.Transport, transport)
        if incoming.early:
            upstream.write(incoming.early)
            incoming.early = b""
        if incoming.has_ended:
            upstream.write_eof()
        incoming.transport.resume_reading()

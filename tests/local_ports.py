"""Ports for programs of others, which have to be told one."""

from __future__ import annotations

import collections
import socket

_LONG_ENOUGH = 100
_held: collections.deque[socket.socket] = collections.deque()


def free_port(address: str = "127.0.0.1") -> int:
    """
    A port of the address on which nobody listens, and which nobody else on this machine is given while the test runs.

    Who asks the kernel for any port does not get one that a socket is bound to; a server that asks for this one gets it
    all the same (`SO_REUSEADDR`), as often as it is started. Later tests let go of the ports of much earlier ones.
    """
    if len(_held) == _LONG_ENOUGH:
        _held.popleft().close()
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((address, 0))
    _held.append(holder)
    port: int = holder.getsockname()[1]
    return port

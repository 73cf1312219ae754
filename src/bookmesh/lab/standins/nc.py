"""
A stand-in for the `nc` of the curl image: what comes in goes to a TCP port, what comes back is printed.

    echo hello | nc tcp-echo 9000
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO, Final

USAGE: Final = "usage: nc HOST PORT\n"
PIECE_BYTES: Final = 65536


def main() -> None:
    """
    Talk until the other side has ended.

    Raises:
        SystemExit: 0 done, 1 there is no connection, 2 misuse.
    """
    raise SystemExit(talk(sys.argv[1:], sys.stdin.buffer, sys.stdout.buffer))


def talk(arguments: Sequence[str], given: BinaryIO, received: BinaryIO) -> int:
    """Connect, pass everything on, and return the exit code."""
    if len(arguments) != 2 or arguments[0].startswith("-") or not arguments[1].isdigit():
        sys.stderr.write(f"nc: no other arguments are here\n{USAGE}")
        return 2
    try:
        with socket.create_connection((arguments[0], int(arguments[1]))) as connection:
            threading.Thread(target=_send, args=(given, connection), daemon=True).start()
            while piece := connection.recv(PIECE_BYTES):
                received.write(piece)
                received.flush()
    except OSError as error:
        sys.stderr.write(f"nc: {arguments[0]}:{arguments[1]}: {error}\n")
        return 1
    return 0


def _send(given: BinaryIO, connection: socket.socket) -> None:
    """Send all there is, then say that it was all; the other side may have gone before."""
    try:
        while line := given.readline():
            connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        sys.stderr.write(f"nc: {error}\n")

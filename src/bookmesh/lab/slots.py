"""
A number for each running lab of a machine, out of which its addresses come: slot S has 127.97.S.1 to 127.97.S.254.

A lab holds its slot by listening on the node's address; whoever else wants it is refused by the kernel. That works
across users and needs no file.
"""

from __future__ import annotations

import errno
import socket
import zlib

from bookmesh.base import findings
from bookmesh.kube.node import host_ports
from bookmesh.lab import paths

NODE_PORT = 10250  # where a kubelet listens on a real node
_LAST = 254
_NAMED = range(2, 200)


def of_name(name: str) -> int:
    """
    The slot that a lab of this name takes unless another lab has it.

    The default lab is the first. Any other has a number of its own, so its addresses are the same whenever it is up,
    and nobody takes them in the moment in which it is down.
    """
    if name == paths.DEFAULT_NAME:
        return 1
    return _NAMED[zlib.crc32(name.encode()) % len(_NAMED)]


def take(preferred: int) -> tuple[int, socket.socket]:
    """
    Take a slot, the preferred one if it is free, otherwise the first that is after it.

    Returns:
        The slot, and the socket that holds it for as long as it is open.

    Raises:
        BookmeshError: BM0102, all slots are taken.
    """
    for slot in [*range(preferred, _LAST + 1), *range(1, preferred)]:
        try:
            return slot, socket.create_server((host_ports.node_address(slot), NODE_PORT), backlog=1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise findings.BookmeshError(
        findings.Finding(
            code="BM0102",
            message=f"all {_LAST} slots for labs of this machine are taken",
            where=f"port {NODE_PORT} on 127.97.1.254 to 127.97.{_LAST}.254",
            hint="end some: bookmesh down --all",
        )
    )

"""
Netlink: several changes of the kernel's network state in one system call, with an answer that names what was refused.

A socket belongs to the network namespace of the thread that opened it, and may then be used from any thread.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

ROUTE: Final = 0
NETFILTER: Final = 12

REQUEST: Final = 0x1
ACK: Final = 0x4
EXCLUSIVE: Final = 0x200
CREATE: Final = 0x400
APPEND: Final = 0x800

_ERROR: Final = 2
_NESTED: Final = 0x8000
_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE: Final = struct.Struct("=HH")
_SOL_NETLINK: Final = 270
_CAP_ACK: Final = 10
_EXT_ACK: Final = 11
_EXT_ACK_FLAGS: Final = 0x200  # the answer carries attributes
_EXT_ACK_MESSAGE: Final = 1
_BUFFER_BYTES: Final = 1 << 20
_TIMEOUT: Final = struct.pack(
    "=qq", 10, 0
)  # the kernel answers at once; this only turns a mistake into an error


class NetlinkError(OSError):
    """The kernel refused a change; the text has the change in words and the kernel's own reason."""


@dataclass(frozen=True, slots=True)
class Message:
    """One change. `text` says it in words, for errors."""

    kind: int
    flags: int
    body: bytes
    text: str


class NetlinkSocket:
    """A netlink socket in the calling thread's network namespace; use it as a context manager or close it."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._sequence = 0
        for option in (_CAP_ACK, _EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def request(self, messages: Sequence[Message]) -> None:
        """
        Send changes, in order, and wait until the kernel has answered those that ask for it (flag ACK, or refused).

        The last message with ACK ends the wait, so there must be one.

        Raises:
            NetlinkError: the first refusal. What went before it stays done, unless the messages form a transaction.
        """
        first = self._sequence + 1
        packed = bytearray()
        last = 0
        for message in messages:
            self._sequence += 1
            if message.flags & ACK:
                last = self._sequence
            length = _HEADER.size + len(message.body)
            packed += _HEADER.pack(length, message.kind, message.flags, self._sequence, 0) + message.body
        try:
            self._socket.send(packed)
            refused = self._answers(first, last)
        except OSError as error:
            what = f"{len(messages)} network changes ({messages[0].text} …)"
            raise NetlinkError(error.errno, f"{what}: {error.strerror}") from error
        if refused is not None:
            sequence, number, reason = refused
            index = sequence - first
            what = messages[index].text if 0 <= index < len(messages) else messages[0].text
            raise NetlinkError(number, f"{what}: {reason or os.strerror(number)}")

    def _answers(self, first: int, last: int) -> tuple[int, int, str] | None:
        """
        Read answers up to the one for message `last`; return the first refusal (sequence, errno, reason).

        A refused `first` ends it too: for a transaction that is the only answer. What still comes is passed over by
        the next request, as it answers older messages.
        """
        refused: tuple[int, int, str] | None = None
        while True:
            data = self._socket.recv(65_536)
            while len(data) >= _HEADER.size:
                length, kind, flags, sequence, _port = _HEADER.unpack_from(data)
                if kind == _ERROR and first <= sequence <= last:
                    number = -struct.unpack_from("=i", data, _HEADER.size)[0]
                    if number and refused is None:
                        reason = _kernel_reason(data[:length]) if flags & _EXT_ACK_FLAGS else ""
                        refused = (sequence, number, reason)
                    if sequence == last or (number and sequence == first):
                        return refused
                data = data[_align(length) :]


def attribute(kind: int, payload: bytes) -> bytes:
    """Encode one attribute, padded."""
    length = _ATTRIBUTE.size + len(payload)
    return _ATTRIBUTE.pack(length, kind) + payload + bytes(_align(length) - length)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Encode an attribute that consists of attributes."""
    return attribute(kind | _NESTED, b"".join(attributes))


def string(kind: int, text: str) -> bytes:
    """Encode text, which must be ASCII, ended by a zero byte."""
    return attribute(kind, text.encode("ascii") + b"\0")


def be32(kind: int, number: int) -> bytes:
    """Encode a number in network byte order, as nf_tables wants it."""
    return attribute(kind, struct.pack(">I", number & 0xFFFF_FFFF))


def u32(kind: int, number: int) -> bytes:
    """Encode a number in this machine's byte order, as rtnetlink wants it."""
    return attribute(kind, struct.pack("=I", number))


def _align(length: int) -> int:
    return (length + 3) & ~3


def _kernel_reason(answer: bytes) -> str:
    """Find the text of an extended acknowledgement, which follows the header of the refused message."""
    position = _HEADER.size + 4 + _HEADER.size
    while position + _ATTRIBUTE.size <= len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, position)
        if length < _ATTRIBUTE.size:
            break
        if kind & 0x7FFF == _EXT_ACK_MESSAGE:
            return (
                answer[position + _ATTRIBUTE.size : position + length]
                .rstrip(b"\0")
                .decode("utf-8", "replace")
            )
        position += _align(length)
    return ""

"""How large an image may be: enough for any that people run, too little for one that is made to fill a machine."""

from __future__ import annotations

from dataclasses import dataclass

from bookmesh.lab.images import problems

_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """`document_bytes` of one manifest or configuration; the others of a whole image, unpacked."""

    document_bytes: int = 4 * _MEBIBYTE
    layers: int = 127
    unpacked_bytes: int = 16 * 1024 * _MEBIBYTE
    entries: int = 500_000


class Budget:
    """What is left of the limits while one image is unpacked. Every method raises BookmeshError (BM0355)."""

    def __init__(self, where: str, limits: Limits) -> None:
        self._where = where
        self._limits = limits
        self._bytes = 0
        self._entries = 0

    def spend_bytes(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._limits.unpacked_bytes:
            self._refuse(f"it unpacks to more than {self._limits.unpacked_bytes // _MEBIBYTE} MiB")

    def spend_entry(self) -> None:
        self._entries += 1
        if self._entries > self._limits.entries:
            self._refuse(f"it has more than {self._limits.entries} files")

    def _refuse(self, what: str) -> None:
        raise problems.too_large(self._where, what, f"see Limits in {__name__}")

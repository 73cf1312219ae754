"""Reading bytes that must be what they claim to be: digests, sizes, and layers in three kinds of packing."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import zstandard

from bookmesh.lab.images import problems

CHUNK_BYTES: Final = 1 << 18
_DIGEST: Final = re.compile(r"(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128})")
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LARGEST_WINDOW: Final = 1 << 27


def split_digest(digest: str, where: str) -> tuple[str, str]:
    """Take `sha256:…` apart; BookmeshError (BM0351) when it is no digest of a known kind."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise problems.damaged(where, f'"{digest[:80]}" is no digest')
    return (match[1], match[2]) if match[1] else (match[3], match[4])


class CheckedReader(io.RawIOBase):
    """Passes a stream on, and at its end tells whether it was what its digest says."""

    def __init__(self, stream: BinaryIO, digest: str, where: str) -> None:
        super().__init__()
        algorithm, self._wanted = split_digest(digest, where)
        self._hash = hashlib.new(algorithm)
        self._stream = stream
        self._where = where
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._hash.update(data)
        self.count += len(data)
        return len(data)

    def check(self, *, size: int | None = None) -> None:
        """Read what is left, and compare; BookmeshError (BM0351) when it is something else."""
        while self.read(CHUNK_BYTES):
            continue
        if size is not None and self.count != size:
            raise problems.damaged(self._where, f"{self.count} bytes where {size} should be")
        if self._hash.hexdigest() != self._wanted:
            raise problems.damaged(
                self._where, f"its content has another digest than {self._hash.name}:{self._wanted}"
            )


def unpacked(stream: io.BufferedReader) -> BinaryIO:
    """A stream without its gzip or zstd packing; it is told by the first bytes, since media types are often wrong."""
    start = stream.peek(4)[:4]
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if start == _ZSTD:
        return zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).stream_reader(
            stream, read_across_frames=True
        )
    return stream


@contextmanager
def damage(where: str) -> Iterator[None]:
    """Turn what decompressors and tar readers raise for broken input into words (BM0351)."""
    try:
        yield
    except (tarfile.TarError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile, EOFError) as error:
        raise problems.damaged(where, str(error) or type(error).__name__) from error

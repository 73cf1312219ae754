"""
What holds images: a folder, or a tar file that may be compressed. Either way a set of files by name.

    with archives.opened(path, scratch=directory) as source:
        source.read("manifest.json")
"""

from __future__ import annotations

import io
import posixpath
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from bookmesh.lab.images import problems, reading
from bookmesh.lab.images.limits import Limits


class Source(Protocol):
    """`label` is what people know it as. A name is a relative path with `/`."""

    @property
    def label(self) -> str: ...

    def has(self, name: str) -> bool: ...

    def open(self, name: str) -> io.BufferedReader:
        """Open a file; BookmeshError (BM0351) when there is none."""
        ...


def read_document(source: Source, name: str, limits: Limits) -> bytes:
    """
    Read a small file.

    Raises:
        BookmeshError: it is not there (BM0351), or larger than a document may be (BM0355).
    """
    with source.open(name) as file, reading.damage(source.label):
        document = file.read(limits.document_bytes + 1)
    if len(document) > limits.document_bytes:
        raise problems.too_large(
            source.label, f"{name} is no document", f"at most {limits.document_bytes} bytes"
        )
    return document


@contextmanager
def opened(path: Path, *, scratch: Path) -> Iterator[Source]:
    """
    Open a folder or file; a compressed file is unpacked into the folder `scratch` first, since it is read out of order.

    Raises:
        BookmeshError: there is nothing (BM0350), or a tar file that cannot be read (BM0350, BM0351).
    """
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise problems.no_archive(str(path), error.strerror or str(error)) from error
    with file, _uncompressed(file, path, scratch) as plain, _open_tar(plain, path) as archive:
        yield _Tar(archive, str(path))


def _open_tar(file: BinaryIO, path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=file, mode="r:")
    except tarfile.TarError as error:
        raise problems.no_archive(str(path), f"it is no tar file ({error})") from error


@contextmanager
def _uncompressed(file: io.BufferedReader, path: Path, scratch: Path) -> Iterator[BinaryIO]:
    stream = reading.unpacked(file)
    if stream is file:
        yield file
        return
    with (scratch / "archive.tar").open("w+b") as plain:
        with reading.damage(str(path)):
            shutil.copyfileobj(stream, plain, reading.CHUNK_BYTES)
        plain.seek(0)
        yield plain


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.label = str(path)

    def has(self, name: str) -> bool:
        return (self._path / name).is_file()

    def open(self, name: str) -> io.BufferedReader:
        try:
            return (self._path / _inside(name, self.label)).open("rb")
        except OSError as error:
            raise problems.damaged(self.label, f"{name}: {error.strerror}") from error


class _Tar:
    def __init__(self, archive: tarfile.TarFile, label: str) -> None:
        self._archive = archive
        self.label = label
        with reading.damage(label):
            self._members = {posixpath.normpath(member.name): member for member in archive}

    def has(self, name: str) -> bool:
        return posixpath.normpath(name) in self._members

    def open(self, name: str) -> io.BufferedReader:
        """Links inside the archive are followed: older ones of `docker save` name a layer twice like that."""
        member = self._members.get(posixpath.normpath(name))
        try:
            found = member and self._archive.extractfile(member)
        except KeyError:
            found = None
        if not found:
            raise problems.damaged(self.label, f"it has no file {name}")
        return io.BufferedReader(found, reading.CHUNK_BYTES)  # type: ignore[arg-type]


def _inside(name: str, label: str) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        raise problems.leads_out(label, name)
    return name

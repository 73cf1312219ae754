"""
The images that were loaded into one lab, on disk. Other processes may look, load and remove at any time.

    <directory>/names.json         reference -> id of an image; replaced as a whole
    <directory>/records/<id>.json  what an image is; locked (shared) by whoever runs it
    <directory>/layers/<chain>/    an unpacked layer; complete from the moment it is there
    <directory>/staging/           what is being unpacked; of no use to anybody else, and removed by the next who loads
    <directory>/lock               held by who changes anything

Nothing is ever changed in place: who is killed in the middle leaves a store as it was, and perhaps files of no use.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from bookmesh.kube.node.images import ImageError
from bookmesh.lab import removing
from bookmesh.lab.images.records import Record


class ImageStore:
    """Reading needs nothing; what changes something is a method of what `locked` gives."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()

    def names(self) -> dict[str, str]:
        """All loaded images: id by full reference, sorted."""
        try:
            document = (self.directory / "names.json").read_bytes()
        except FileNotFoundError:
            return {}
        return dict(sorted(msgspec.json.decode(document, type=dict[str, str]).items()))

    def record(self, image: str) -> Record:
        """Read what is known of an image by its id; FileNotFoundError when it has gone."""
        return msgspec.json.decode(self.record_path(image).read_bytes(), type=Record)

    def layer(self, chain: str) -> Path:
        return self.directory / "layers" / _file_name(chain)

    def layers(self, record: Record) -> list[Path]:
        """The directories of an image, the lowest first."""
        return [self.layer(chain) for chain in record.chains]

    def version(self) -> object:
        """Something that changes with `names`."""
        try:
            status = (self.directory / "names.json").stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    @contextlib.contextmanager
    def held(self, image: str) -> Iterator[None]:
        """
        Keep an image's files meanwhile, even when it is removed.

        Raises:
            ImageError: it has gone, or is going.
        """
        try:
            record = self.record_path(image).open("rb")
        except FileNotFoundError as error:
            raise ImageError(f"image {image} was removed") from error
        with record:
            try:
                fcntl.flock(record, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ImageError(f"image {image} is being removed") from error
            yield

    @contextlib.contextmanager
    def locked(self) -> Iterator[Changes]:
        """Be the only one who changes the store; waits for whoever does."""
        for name in ("records", "layers"):
            (self.directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            staging = self.directory / "staging"
            if staging.exists():  # of one who was killed
                removing.remove_tree(staging)
            staging.mkdir(mode=0o700)
            try:
                yield Changes(self, staging)
            finally:
                removing.remove_tree(staging)

    def record_path(self, image: str) -> Path:
        return self.directory / "records" / f"{_file_name(image)}.json"


class Changes:
    """What the holder of the lock may do. `staging` is an empty folder on the store's file system."""

    def __init__(self, store: ImageStore, staging: Path) -> None:
        self._store = store
        self.staging = staging

    def add_layer(self, chain: str, unpacked: Path) -> None:
        """Move an unpacked layer to its place; it is of no image yet."""
        mode = unpacked.stat().st_mode
        unpacked.chmod(0o700)  # an ordinary user may move no folder that forbids to write into it
        unpacked.rename(self._store.layer(chain))
        self._store.layer(chain).chmod(mode & 0o7777)

    def add_images(self, images: Mapping[str, Record]) -> None:
        """Make images known by their references; those who had them before have them no more."""
        for record in images.values():
            path = self._store.record_path(record.id)
            if not path.exists():  # a container may hold the one that is there
                self._write(path, record)
        self._write_names(self._store.names() | {name: record.id for name, record in images.items()})
        self.collect()

    def remove(self, reference: str) -> None:
        """Forget a reference, which must be there; files go when no other one and no container needs them."""
        names = self._store.names()
        del names[reference]
        self._write_names(names)
        self.collect()

    def collect(self) -> None:
        """Remove records and layers that nobody has any use for."""
        directory = self._store.directory
        named = {_file_name(image) for image in self._store.names().values()}
        needed: set[str] = set()
        for path in (directory / "records").glob("*.json"):
            if path.stem in named or not _unlink_unheld(path):
                record = msgspec.json.decode(path.read_bytes(), type=Record)
                needed |= {_file_name(chain) for chain in record.chains}
        for path in (directory / "layers").iterdir():
            if path.name not in needed:
                target = self.staging / path.name
                path.chmod(0o700)
                path.rename(target)
                removing.remove_tree(target)

    def _write_names(self, names: dict[str, str]) -> None:
        self._write(self._store.directory / "names.json", names)

    def _write(self, target: Path, content: object) -> None:
        temporary = self.staging / "document.json"
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(content))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)


def _unlink_unheld(path: Path) -> bool:
    """Remove a record unless a container runs from its image."""
    with path.open("rb") as record:
        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        path.unlink()
        return True


def _file_name(digest: str) -> str:
    return digest.replace(":", "-")

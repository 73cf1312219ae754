"""
Load the images of an archive into a lab's store: read, unpack what is not there yet, make them known all at once.

A layer is unpacked once, however many images have it above the same others. Its digests are compared when it has been
read to its end; nothing of an archive becomes visible before everything in it was as it should be.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bookmesh.kube.sandbox import namespaces
from bookmesh.lab.images import (
    archives,
    contents,
    manifests,
    platforms,
    problems,
    reading,
    records,
    references,
)
from bookmesh.lab.images import store as stores
from bookmesh.lab.images.contents import Content
from bookmesh.lab.images.limits import Budget, Limits
from bookmesh.lab.images.unpacking import Unpacker

_EVERY_UID = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image that was loaded; `references` are complete, `layers` counts those that had to be unpacked."""

    references: tuple[str, ...]
    record: records.Record
    layers: int


def load(
    path: Path, store: stores.ImageStore, *, name: str | None, allowed: Limits | None = None
) -> list[Loaded]:
    """
    Load all images of an archive.

    Args:
        name: what its image shall be called in place of the names it has; for an archive of one image.
        allowed: how large images may be; None for what a lab takes.

    Raises:
        BookmeshError: BM0350 to BM0356; the store is as it was.
    """
    allowed = allowed or Limits()
    try:
        with store.locked() as changes, archives.opened(path, scratch=changes.staging) as source:
            found = contents.read(source, architecture=platforms.architecture(), limits=allowed)
            named = [
                (_references(content, source.label, name, alone=len(found) == 1), content)
                for content in found
            ]
            loader = _Loader(source, store, changes, allowed)
            loaded = [loader.load(content, names) for names, content in named]
            loader.publish(loaded)
            return loaded
    except OSError as error:
        raise problems.not_here(str(path), error) from error


def has_every_uid() -> bool:
    """Whether a lab of this process gives files and processes any owner: not in a user namespace."""
    return os.geteuid() == 0 and namespaces.mapped_ids() == _EVERY_UID


def _references(content: Content, label: str, name: str | None, *, alone: bool) -> tuple[str, ...]:
    if name is not None:
        if not alone:
            raise problems.no_name(label, "it holds several images, which cannot all be called the same")
        return (_parsed(name, label),)
    names = [one for one in content.names if "/" in one or ":" in one]
    if not names:
        known = f"it calls its image {content.names[0]} only" if content.names else "its image has no name"
        raise problems.no_name(label, known)
    return tuple(dict.fromkeys(_parsed(one, label) for one in names))


def _parsed(name: str, label: str) -> str:
    try:
        parsed = references.parse(name)
    except ValueError as error:
        raise problems.no_name(label, str(error)) from error
    if parsed.digest:
        raise problems.no_name(label, f'"{name}" has a digest, which follows from what an image is')
    return str(parsed)


class _Loader:
    def __init__(
        self, source: archives.Source, store: stores.ImageStore, changes: stores.Changes, allowed: Limits
    ) -> None:
        self._source = source
        self._store = store
        self._changes = changes
        self._limits = allowed
        self._unpacked: dict[str, Path] = {}
        """By chain, what is in staging."""

    def load(self, content: Content, names: tuple[str, ...]) -> Loaded:
        """Unpack what is missing of one image into staging."""
        chains = records.chain_ids(content.config.rootfs.diff_ids)
        budget = Budget(names[0], self._limits)
        layers: list[Path] = []
        count = 0
        for number, chain in enumerate(chains):
            place = self._unpacked.get(chain) or self._store.layer(chain)
            if not place.exists():
                place = self._changes.staging / f"layer-{len(self._unpacked)}"
                diff_id = content.config.rootfs.diff_ids[number]
                self._unpack(content.layers[number], diff_id, place, below=layers[::-1], budget=budget)
                self._unpacked[chain] = place
                count += 1
            layers.append(place)
        return Loaded(names, _build_record(content, chains, layers), count)

    def publish(self, loaded: Sequence[Loaded]) -> None:
        for chain, place in self._unpacked.items():
            self._changes.add_layer(chain, place)
        self._changes.add_images({name: one.record for one in loaded for name in one.references})

    def _unpack(
        self, blob: contents.Blob, diff_id: str, place: Path, *, below: Sequence[Path], budget: Budget
    ) -> None:
        where = f"{self._source.label}: layer {blob.name}"
        place.mkdir(mode=0o700)
        with self._source.open(blob.name) as packed, reading.damage(where):
            outer = reading.CheckedReader(packed, blob.digest or diff_id, where)
            stream = reading.unpacked(io.BufferedReader(outer, reading.CHUNK_BYTES))
            inner = reading.CheckedReader(stream, diff_id, where)
            Unpacker(place, below=below, owning=has_every_uid(), budget=budget, where=where).unpack(inner)
            inner.check()
            if blob.digest:
                outer.check(size=blob.size)


def _build_record(content: Content, chains: tuple[str, ...], layers: Sequence[Path]) -> records.Record:
    passwd, group = records.read_accounts(layers[::-1])
    return records.Record(
        digests=content.digests,
        chains=chains,
        platform=content.config.platform,
        bytes=sum(_size(layer) for layer in layers),
        running=content.config.config or manifests.Running(),
        passwd=passwd,
        group=group,
    )


def _size(directory: Path) -> int:
    """Bytes of all files; one with several names counts each time."""
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(directory)
        for name in names
    )

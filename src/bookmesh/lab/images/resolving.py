"""The lab's `ImageResolver`: what was loaded comes first, then the stand-ins of the catalogue."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from bookmesh.kube.node import images
from bookmesh.lab.images import catalogue, records, references, store
from bookmesh.lab.images.records import Record


class LabImages:
    """`trust` is what loaded images have besides, as stand-ins do: whom programs trust in the simulated Internet."""

    def __init__(
        self, loaded: store.ImageStore, stand_ins: catalogue.Catalogue, *, trust: catalogue.Trust
    ) -> None:
        self._store = loaded
        self._stand_ins = stand_ins
        self._trust = trust
        self._version: object = None
        self._names: dict[str, str] = {}
        self._records: dict[str, Record] = {}

    def resolve(self, reference: str) -> images.Image:
        """
        Find what runs for an image.

        Raises:
            ImageError: it is not loaded, and no stand-in is there; the text says what to do.
        """
        self._refresh()
        record = find(reference, self._names, self._records)
        if record is None:
            return self._stand_ins.resolve(reference, loaded=self._names)
        image = records.build_image(record, reference, layers=self._store.layers(record))
        return replace(image, env={**self._trust.env, **image.env}, content=self._trust.mounts)

    def version(self) -> object:
        return self._store.version()

    def listed(self) -> list[images.Listed]:
        self._refresh()
        names: dict[str, list[str]] = {}
        for name, image in self._names.items():
            if image in self._records:
                names.setdefault(image, []).append(name)
        return [
            images.Listed(
                (*_with_digests(tags, self._records[image].id), *sorted(tags)), self._records[image].bytes
            )
            for image, tags in names.items()
        ]

    def hold(self, image: images.Image) -> AbstractContextManager[None]:
        if not image.layers:
            return contextlib.nullcontext()
        return self._hold(image)

    @contextlib.contextmanager
    def _hold(self, image: images.Image) -> Iterator[None]:
        with self._store.held(image.image_id.partition("@")[2]):
            yield

    def _refresh(self) -> None:
        """Read the store anew when it has changed; what has gone in between is not there."""
        version = self._store.version()
        if version == self._version:
            return
        self._names = self._store.names()
        self._records = read_records(self._store, self._names)
        self._version = version


def _with_digests(names: Iterable[str], digest: str) -> list[str]:
    return sorted({f"{references.parse(name).repository}@{digest}" for name in names})


def read_records(loaded: store.ImageStore, names: dict[str, str]) -> dict[str, Record]:
    """Read the records of all named images, by id; those that are gone meanwhile are left out."""
    found = {}
    for image in set(names.values()):
        with contextlib.suppress(FileNotFoundError):
            found[image] = loaded.record(image)
    return found


def find(reference: str, names: dict[str, str], known: dict[str, Record]) -> Record | None:
    """Look an image up by its name, or by a digest, which wins over a tag and goes with the repository."""
    try:
        wanted = references.parse(reference)
    except ValueError:
        return None
    if not wanted.digest:
        return known.get(names.get(str(wanted), ""))
    for name, image in names.items():
        record = known.get(image)
        same = references.parse(name).repository == wanted.repository
        if record and same and wanted.digest in record.digests:
            return record
    return None

"""
Which images an archive holds, and of what layers: one reading of the three layouts that engines write.

A tar of `docker save` has `manifest.json`; newer ones are OCI layouts besides. An OCI layout has `index.json` and
`oci-layout`. Of an image for several machines only what runs here is looked at.
"""

from __future__ import annotations

import hashlib
import io
import itertools
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from bookmesh.lab.images import archives, manifests, problems, reading
from bookmesh.lab.images.limits import Limits

_DEEPEST_INDEX: Final = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer as it is in the archive; without digest and size where the archive does not tell them."""

    name: str
    digest: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """
    One image. `names` are as the archive has them, maybe none or incomplete; `digests` are all by which people may call
    it, that of a status first; `layers` go with `config.rootfs.diff_ids`, the lowest first.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    config: manifests.Config
    layers: tuple[Blob, ...]


def read(source: archives.Source, *, architecture: str, limits: Limits) -> list[Content]:
    """
    List the images of an archive that run on a machine of `architecture`; never empty.

    Raises:
        BookmeshError: BM0350 to BM0352 and BM0355.
    """
    reader = _Reader(source, architecture, limits)
    if source.has("manifest.json"):
        found = reader.saved()
    elif source.has("index.json"):
        found = reader.layout()
    else:
        raise problems.no_archive(source.label, "it has neither manifest.json nor index.json")
    if not found:
        raise problems.no_archive(source.label, "its list of images is empty")
    return found


class _Reader:
    def __init__(self, source: archives.Source, architecture: str, limits: Limits) -> None:
        self._source = source
        self._architecture = architecture
        self._limits = limits

    def saved(self) -> list[Content]:
        """What `docker save` wrote."""
        document = archives.read_document(self._source, "manifest.json", self._limits)
        return [
            self._saved_image(one)
            for one in self._decode(document, list[manifests.SavedImage], "manifest.json")
        ]

    def _saved_image(self, saved: manifests.SavedImage) -> Content:
        document = archives.read_document(self._source, saved.config, self._limits)
        names = saved.repo_tags or ()
        config = self._config(document, saved.config, names[0] if names else saved.config)
        digest = f"sha256:{hashlib.sha256(document).hexdigest()}"
        layers = tuple(Blob(name) for name in saved.layers)
        return self._content(Content(names, (digest,), config, layers))

    def layout(self) -> list[Content]:
        """What is in an OCI layout, an image for each name; entries of one name differ in their platform."""
        document = archives.read_document(self._source, "index.json", self._limits)
        entries = self._decode(document, manifests.Index, "index.json").manifests
        by_name = itertools.groupby(
            sorted(entries, key=lambda entry: entry.name), key=lambda entry: entry.name
        )
        return [self._layout_image(name, list(group)) for name, group in by_name]

    def _layout_image(self, name: str, entries: list[manifests.Descriptor]) -> Content:
        digests: list[str] = []
        for _ in range(_DEEPEST_INDEX):
            entry = self._choose(entries, name)
            digests.insert(0, entry.digest)
            document = self._blob(entry)
            if entry.media_type not in manifests.INDEX_TYPES:
                return self._manifest_image(document, name, digests)
            entries = list(self._decode(document, manifests.Index, entry.digest).manifests)
        raise problems.damaged(self._source.label, f"its indexes are nested more than {_DEEPEST_INDEX} deep")

    def _choose(self, entries: list[manifests.Descriptor], name: str) -> manifests.Descriptor:
        chosen = manifests.choose(entries, self._architecture)
        if chosen is None:
            known = manifests.platforms_of(entries)
            raise problems.other_machine(name or self._source.label, machine=self._architecture, known=known)
        return chosen

    def _manifest_image(self, document: bytes, name: str, digests: list[str]) -> Content:
        manifest = self._decode(document, manifests.Manifest, digests[0])
        if manifest.config.media_type not in manifests.CONFIG_TYPES:
            kind = manifest.config.media_type or "nothing that is named"
            raise problems.no_archive(
                self._source.label, f"{name or digests[0]} is {kind}, no container image"
            )
        config = self._config(self._blob(manifest.config), manifest.config.digest, name or digests[0])
        layers = tuple(Blob(self._path(one), one.digest, one.size) for one in manifest.layers)
        digests = [*digests, manifest.config.digest]
        return self._content(Content((name,) if name else (), tuple(digests), config, layers))

    def _config(self, document: bytes, where: str, name: str) -> manifests.Config:
        config = self._decode(document, manifests.Config, where)
        if config.os not in ("", "linux") or config.architecture not in ("", self._architecture):
            raise problems.other_machine(name, machine=self._architecture, known=[config.platform])
        return config

    def _content(self, content: Content) -> Content:
        wanted, found = len(content.config.rootfs.diff_ids), len(content.layers)
        if wanted != found:
            raise problems.damaged(
                self._source.label, f"{found} layers where the configuration names {wanted}"
            )
        if not found or found > self._limits.layers:
            known = f"at least one, at most {self._limits.layers}"
            raise problems.too_large(self._source.label, f"{found} layers", known)
        return content

    def _blob(self, descriptor: manifests.Descriptor) -> bytes:
        name = self._path(descriptor)
        document = archives.read_document(self._source, name, self._limits)
        checked = reading.CheckedReader(
            io.BytesIO(document), descriptor.digest, f"{self._source.label}: {name}"
        )
        checked.check(size=descriptor.size)
        return document

    def _path(self, descriptor: manifests.Descriptor) -> str:
        algorithm, value = reading.split_digest(descriptor.digest, self._source.label)
        return f"blobs/{algorithm}/{value}"

    def _decode(self, document: bytes, kind: type[T], where: str) -> T:
        try:
            return msgspec.json.decode(document, type=kind)
        except msgspec.DecodeError as error:
            raise problems.damaged(f"{self._source.label}: {where}", str(error)) from error

"""
The JSON documents of images: indexes, manifests, configurations, and the list in an archive of `docker save`. Pure.

Source: the OCI image specification 1.1 (image-index, manifest, config), and Docker's image specification 1.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

INDEX_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
CONFIG_TYPES: Final = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_NAMES: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


class Platform(msgspec.Struct, frozen=True):
    architecture: str = ""
    os: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """Where a blob is and what it should be."""

    digest: str
    size: int
    media_type: str = ""
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """The image's name as the one who wrote the layout gave it; a tag alone, or "", when not all of it is there."""
        annotations = self.annotations or {}
        return next((annotations[key] for key in _NAMES if annotations.get(key)), "")


class Index(msgspec.Struct, frozen=True):
    manifests: tuple[Descriptor, ...] = ()


class Manifest(msgspec.Struct, frozen=True):
    config: Descriptor
    layers: tuple[Descriptor, ...] = ()


class Running(msgspec.Struct, frozen=True, rename="pascal"):
    """What a Dockerfile says about running: ENTRYPOINT, CMD, ENV, WORKDIR, USER, STOPSIGNAL, VOLUME."""

    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    env: list[str] | None = None
    working_dir: str | None = None
    user: str | None = None
    stop_signal: str | None = None
    volumes: dict[str, object] | None = None


class RootFs(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...]


class Config(msgspec.Struct, frozen=True):
    """An image's configuration; `rootfs.diff_ids` are the digests of its unpacked layers, the lowest first."""

    rootfs: RootFs
    architecture: str = ""
    os: str = ""
    config: Running | None = None

    @property
    def platform(self) -> str:
        return str(Platform(self.architecture, self.os))


class SavedImage(msgspec.Struct, frozen=True, rename="pascal"):
    """One line of `manifest.json` in an archive of `docker save`; the names are of files in there."""

    config: str
    layers: tuple[str, ...]
    repo_tags: tuple[str, ...] | None = None


def choose(descriptors: Sequence[Descriptor], architecture: str) -> Descriptor | None:
    """
    Pick what this machine can run; the first of several, and one without a platform when there is no other.

    Returns:
        None when all are for other machines.
    """
    for one in descriptors:
        if one.platform and (one.platform.os, one.platform.architecture) == ("linux", architecture):
            return one
    return next((one for one in descriptors if one.platform is None), None)


def platforms_of(descriptors: Sequence[Descriptor]) -> list[str]:
    """Name the platforms; attestations, which say "unknown", are none."""
    named = (str(one.platform) for one in descriptors if one.platform)
    return [name for name in named if not name.startswith("unknown")]

"""The port to images: what a container image name stands for on this machine."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bookmesh.kube.node import users
from bookmesh.kube.sandbox.specification import Mount


class ImageError(Exception):
    """No image of that name; the message tells a person what to do and becomes the `ErrImagePull` text."""


@dataclass(frozen=True, slots=True)
class Image:
    """
    What runs for an image reference: a stand-in, or a loaded image with a root file system of its own.

    `entrypoint` and `command` are what a Dockerfile calls ENTRYPOINT and CMD. `entry` ("package.module:function") is
    run in a forked, warm interpreter in place of `entrypoint`, unless the container sets a `command` of its own.
    `mounts` are what the program needs to run. `content` is what the image itself has at those places: a volume at the
    place or above hides it, as it hides the files of any image.

    Of a loaded image: `layers` are directories of this machine, the uppermost first; `user` is its USER, looked up in
    `accounts`; `volumes` are its VOLUMEs; `image_id` is what a status shows. A stand-in has none of these.
    """

    reference: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    entry: str | None = None
    mounts: tuple[Mount, ...] = ()
    content: tuple[Mount, ...] = ()
    layers: tuple[str, ...] = ()
    user: str = ""
    accounts: users.Accounts | None = None
    volumes: tuple[str, ...] = ()
    image_id: str = ""
    stop_signal: int = signal.SIGTERM


class Listed(NamedTuple):
    """An image that the node has as files: all its names, with a digest or a tag, and how large it is unpacked."""

    names: tuple[str, ...]
    bytes: int


class ImageResolver(Protocol):
    """Says what runs for an image. Must not block: it is called on the event loop."""

    def resolve(self, reference: str) -> Image:
        """Find an image; `ImageError` for a reference that is not known."""
        ...

    def version(self) -> object:
        """Something that is unequal to what it was before as soon as `resolve` may answer otherwise."""
        ...

    def listed(self) -> Sequence[Listed]:
        """What was loaded; stand-ins are no files of the node's."""
        ...

    def hold(self, image: Image) -> AbstractContextManager[None]:
        """Keep an image's files while a container runs from them; `ImageError` when they have gone already."""
        ...

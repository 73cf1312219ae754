"""The port to images: what a container image name stands for on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bookmesh.kube.sandbox.specification import Mount


class ImageError(Exception):
    """No image of that name; the message tells a person what to do and becomes the `ErrImagePull` text."""


@dataclass(frozen=True, slots=True)
class Image:
    """
    What runs for an image reference.

    `entrypoint` and `command` are what a Dockerfile calls ENTRYPOINT and CMD. `entry` ("package.module:function") is
    run in a forked, warm interpreter in place of `entrypoint`, unless the container sets a `command` of its own.
    `mounts` are what the program needs to run. `content` is what the image itself has at those places: a volume at the
    place or above hides it, as it hides the files of any image.
    """

    reference: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    user: int | None = None
    entry: str | None = None
    mounts: tuple[Mount, ...] = ()
    content: tuple[Mount, ...] = ()


class ImageResolver(Protocol):
    """Raises `ImageError` for a reference it does not know. Must not block: it is called on the event loop."""

    def resolve(self, reference: str) -> Image: ...

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import images


def test_an_image_needs_a_name_and_an_entrypoint_only() -> None:
    image = images.Image("app:1", ("/bin/app",))
    assert (image.command, dict(image.env), image.working_dir, image.user) == ((), {}, "/", "")
    assert (image.entry, image.mounts, image.layers) == (None, (), ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.user = "0"  # type: ignore[misc]


def test_an_unknown_image_is_an_error_with_words() -> None:
    resolver: images.ImageResolver = fakes.FakeImages()
    with pytest.raises(images.ImageError, match="no image other"):
        resolver.resolve("other")

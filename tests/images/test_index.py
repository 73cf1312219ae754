"""One archive out of several, each with an image of its own architecture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from tests.unit.lab.images import making
from tests.unit.lab.images.making import Made, entry, layer

from bookmesh.lab.images import archives, contents, limits

TOOL = Path(__file__).parents[2] / "tools" / "oci_index.py"


@pytest.fixture(scope="module")
def oci_index() -> ModuleType:
    spec = importlib.util.spec_from_file_location("oci_index", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(directory: Path, architecture: str) -> Path:
    """An image with a layer that all have, and one of its own."""
    layers = [layer(entry("shared", "text")), layer(entry("machine", architecture))]
    made = Made(layers, name="shop:1", architecture=architecture)
    return making.write_tar(directory / f"{architecture}.tar", making.layout(made))


def content(archive: Path, architecture: str, scratch: Path) -> contents.Content:
    with archives.opened(archive, scratch=scratch) as source:
        (found,) = contents.read(source, architecture=architecture, limits=limits.Limits())
        return found


def test_each_machine_finds_its_image_as_it_was(oci_index: ModuleType, tmp_path: Path) -> None:
    parts = [part(tmp_path, architecture) for architecture in ("arm64", "amd64")]
    oci_index.merge(parts, tmp_path / "whole.tar", name="registry.example/shop:2")
    for path in parts:
        architecture = path.stem
        found = content(tmp_path / "whole.tar", architecture, tmp_path)
        alone = content(path, architecture, tmp_path)
        assert found.names == ("registry.example/shop:2",)
        assert found.config.platform == f"linux/{architecture}"
        assert (found.digests[0], found.layers) == (alone.digests[0], alone.layers)


def test_the_same_parts_give_the_same_bytes_in_whatever_order(oci_index: ModuleType, tmp_path: Path) -> None:
    parts = [part(tmp_path, architecture) for architecture in ("amd64", "arm64")]
    oci_index.merge(parts, tmp_path / "one.tar", name="shop:1")
    oci_index.merge(parts[::-1], tmp_path / "other.tar", name="shop:1")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()


def test_a_part_with_two_images_is_refused(oci_index: ModuleType, tmp_path: Path) -> None:
    data = layer(entry("file"))
    two = making.layout(Made([data], name="shop:1"), Made([data], name="shop:2"))
    archive = making.write_tar(tmp_path / "two.tar", two)
    with pytest.raises(ValueError, match="2 images where one was expected"):
        oci_index.merge([archive], tmp_path / "whole.tar", name="shop:1")

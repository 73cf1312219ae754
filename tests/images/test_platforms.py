"""Images for two architectures in one archive: each has code of its own alone, and is the same as built by itself."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.images import bases, conftest, foreign

from bookmesh.lab.images import archives, contents, limits, loading, store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

IMAGES = ("bookinfo-ratings", "bookmesh-gate")
MACHINES = {"amd64": 62, "arm64": 183}
"""`e_machine` of ELF files: EM_X86_64 and EM_AARCH64."""


def content(archive: Path, architecture: str, scratch: Path) -> contents.Content:
    with archives.opened(archive, scratch=scratch) as source:
        (found,) = contents.read(source, architecture=architecture, limits=limits.Limits())
        return found


def binaries(archive: Path, architecture: str, scratch: Path) -> Iterator[tuple[str, int]]:
    """Name and machine of all ELF files in an image, of its base too."""
    layers = content(archive, architecture, scratch).layers
    with archives.opened(archive, scratch=scratch) as source:
        for blob in layers:
            with source.open(blob.name) as layer, tarfile.open(fileobj=layer, mode="r|*") as stream:
                for member in stream:
                    file = stream.extractfile(member) if member.isreg() else None
                    head = file.read(20) if file else b""
                    if head[:4] == b"\x7fELF":
                        yield member.name, int.from_bytes(head[18:20], "little")


@pytest.mark.parametrize("architecture", MACHINES)
@pytest.mark.parametrize("image", IMAGES)
def test_all_machine_code_of_an_image_is_for_its_architecture(
    image: str, architecture: str, again: dict[str, Path], tmp_path: Path
) -> None:
    found = dict(binaries(again[image], architecture, tmp_path))
    assert {name: machine for name, machine in found.items() if machine != MACHINES[architecture]} == {}
    names = {Path(name).name for name in found}
    wanted = {f"python{bases.VERSION}", "libc.so.6"}
    wanted |= {"kubectl"} if image == "bookmesh-gate" else {"asyncpg"}
    assert wanted <= {*names, *(part for name in found for part in Path(name).parts)}


def test_the_image_with_helm_has_wheels_of_both_architectures(built: conftest.Built, tmp_path: Path) -> None:
    of = built.bases
    archive = conftest.build(built.builder, of, tmp_path, "bookmesh", platforms=(conftest.OTHER,))["bookmesh"]
    for path, architecture in (
        (built.archives["bookmesh"], bases.ARCHITECTURE),
        (archive, foreign.ARCHITECTURE),
    ):
        found = dict(binaries(path, architecture, tmp_path))
        assert set(found.values()) == {MACHINES[architecture]}
        assert "opt/bookmesh/bin/kubectl" in found
        assert any(Path(name).name.startswith("libhelm_c.so") for name in found)


@pytest.mark.parametrize("image", IMAGES)
def test_an_archive_for_two_architectures_says_which(
    image: str, again: dict[str, Path], tmp_path: Path
) -> None:
    for architecture in MACHINES:
        found = content(again[image], architecture, tmp_path)
        assert found.config.platform == f"linux/{architecture}"
        assert found.names == (f"bookmesh/{image}:{conftest.VERSION}",)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_that_is_built_again_with_another_has_the_same_digest(
    image: str, again: dict[str, Path], built: conftest.Built, tmp_path: Path
) -> None:
    alone = content(built.archives[image], bases.ARCHITECTURE, tmp_path)
    together = content(again[image], bases.ARCHITECTURE, tmp_path)
    assert together.digests[0] == alone.digests[0], "of the manifest"
    assert together.layers == alone.layers
    other = content(again[image], foreign.ARCHITECTURE, tmp_path)
    assert set(other.digests).isdisjoint(alone.digests)


def test_what_is_loaded_of_two_is_the_one_for_this_machine(again: dict[str, Path], tmp_path: Path) -> None:
    images = store.ImageStore(tmp_path / "images")
    (loaded,) = loading.load(again["bookmesh-gate"], images, name=None)
    assert loaded.record.platform == conftest.OWN
    assert images.names() == {f"docker.io/bookmesh/bookmesh-gate:{conftest.VERSION}": loaded.record.id}

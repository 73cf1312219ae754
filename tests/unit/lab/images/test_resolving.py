"""What was loaded comes before stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.lab.images import making

from bookmesh.kube.node.images import ImageError
from bookmesh.kube.sandbox.specification import Mount
from bookmesh.lab.images import catalogue, loading, resolving
from bookmesh.lab.images.store import ImageStore

NGINX = "docker.io/library/nginx:1.27"
TRUST = catalogue.Trust(
    (Mount("/host/bundle", "/etc/bundle", read_only=True),), {"SSL_CERT_FILE": "/etc/bundle"}
)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
def images(tmp_path: Path, store: ImageStore) -> resolving.LabImages:
    stand_ins = catalogue.Catalogue(
        catalogue.load(), envoy=Path("/opt/envoy"), programs=tmp_path / "programs", trust=TRUST
    )
    return resolving.LabImages(store, stand_ins, trust=TRUST)


def load(tmp_path: Path, store: ImageStore, name: str = NGINX, content: str = "x") -> loading.Loaded:
    image = making.Made([making.layer(making.entry("file", content))], config={"Cmd": ["/file"]})
    (loaded,) = loading.load(making.write_tar(tmp_path / "a.tar", making.layout(image)), store, name=name)
    return loaded


def test_a_loaded_image_wins_over_a_stand_in_until_it_is_removed(
    tmp_path: Path, store: ImageStore, images: resolving.LabImages
) -> None:
    name = "docker.io/istio/examples-helloworld-v1:1.0"
    assert images.resolve(name).entry is not None
    before = images.version()
    loaded = load(tmp_path, store, name)
    assert images.version() != before
    found = images.resolve("istio/examples-helloworld-v1:1.0")
    assert (found.entry, found.command) == (None, ("/file",))
    assert found.layers == (str(store.layers(loaded.record)[0]),)
    assert images.resolve("istio/examples-helloworld-v1:1.1").entry is not None, (
        "another tag is another image"
    )
    with store.locked() as changes:
        changes.remove(name)
    assert images.resolve(name).entry is not None


def test_a_digest_says_which_image_whatever_its_tag(
    tmp_path: Path, store: ImageStore, images: resolving.LabImages
) -> None:
    loaded = load(tmp_path, store, "example.com/shop:1")
    for digest in loaded.record.digests:
        assert images.resolve(f"example.com/shop:other@{digest}").layers
    with pytest.raises(ImageError):
        images.resolve(f"example.com/other@{loaded.record.id}")
    with pytest.raises(ImageError):
        images.resolve(f"example.com/shop:1@{making.digest(b'')}")


def test_the_simulated_internet_is_trusted_and_the_image_may_say_otherwise(
    tmp_path: Path, store: ImageStore, images: resolving.LabImages
) -> None:
    load(tmp_path, store)
    image = images.resolve("nginx:1.27")
    assert image.content == TRUST.mounts
    assert image.env["SSL_CERT_FILE"] == "/etc/bundle"


def test_who_finds_nothing_is_told_what_is_loaded_and_how_to_load(
    tmp_path: Path, store: ImageStore, images: resolving.LabImages
) -> None:
    load(tmp_path, store, "example.com/shop:1")
    for name in ("example.com/shop:2", "No Name!"):
        with pytest.raises(ImageError, match=r"BM0301.*is not loaded and has no stand-in") as error:
            images.resolve(name)
        assert "example.com/shop:1" in str(error.value)
        assert "bookmesh image load FILE" in str(error.value)


def test_a_container_keeps_its_image(tmp_path: Path, store: ImageStore, images: resolving.LabImages) -> None:
    load(tmp_path, store)
    image = images.resolve(NGINX)
    with images.hold(image):
        with store.locked() as changes:
            changes.remove(NGINX)
        assert Path(image.layers[0], "file").exists()
    load(tmp_path, store, "other", "y")
    assert not Path(image.layers[0]).exists()
    with pytest.raises(ImageError, match="was removed"), images.hold(image):
        pass
    with images.hold(images.resolve("curlimages/curl:1")):
        pass  # a stand-in needs no keeping


def test_what_is_loaded_is_listed_with_its_digest_and_size(
    tmp_path: Path, store: ImageStore, images: resolving.LabImages
) -> None:
    assert images.listed() == []
    loaded = load(tmp_path, store)
    (found,) = images.listed()
    assert found.names == (f"docker.io/library/nginx@{loaded.record.id}", NGINX)
    assert found.bytes == loaded.record.bytes

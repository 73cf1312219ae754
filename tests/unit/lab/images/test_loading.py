"""Archives of images, good and bad, into a store on disk."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.lab.images import making
from tests.unit.lab.images.making import Made, entry, folder, layer

from bookmesh.base.findings import BookmeshError
from bookmesh.lab.images import loading
from bookmesh.lab.images.limits import Limits
from bookmesh.lab.images.store import ImageStore

BASE = layer(folder("etc"), entry("etc/passwd", "app:x:10001:10002::/home/app:/bin/sh\n"), entry("base", "b"))
TOP = layer(entry("top", "t"), entry(".wh.base"))
IMAGE = Made([BASE, TOP], config={"Cmd": ["/top"], "Env": ["A=1"], "User": "app"})
NAME = IMAGE.name


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def refused(path: Path, store: ImageStore, **fields: Any) -> BookmeshError:
    before = store.names()
    with pytest.raises(BookmeshError) as error:
        loading.load(path, store, name=fields.pop("name", None), **fields)
    assert store.names() == before
    assert not (store.directory / "staging").exists()
    layers = store.directory / "layers"
    assert before or not layers.exists() or list(layers.iterdir()) == []
    return error.value


@pytest.mark.parametrize("outer", making.PACKINGS)
@pytest.mark.parametrize("inner", making.PACKINGS)
def test_every_kind_of_archive_and_packing_is_read(
    inner: str, outer: str, tmp_path: Path, store: ImageStore
) -> None:
    files = making.layout(IMAGE, packing=inner)
    (loaded,) = loading.load(making.write_tar(tmp_path / "a.tar", files, packing=outer), store, name=None)
    assert loaded.references == (NAME,)
    assert loaded.layers == 2
    base, top = store.layers(loaded.record)
    assert making.names_below(base) == ["base", "etc", "etc/passwd"]
    assert making.names_below(top) == ["base", "top"]
    assert loaded.record.passwd.startswith("app:x:10001")
    assert loaded.record.running.cmd == ["/top"]


def test_a_folder_and_an_archive_of_docker_save_are_read(tmp_path: Path, store: ImageStore) -> None:
    (one,) = loading.load(making.write_folder(tmp_path / "layout", making.layout(IMAGE)), store, name=None)
    saved = making.write_tar(tmp_path / "saved.tar", making.saved(IMAGE))
    (other,) = loading.load(saved, store, name="shop:2")
    assert other.references == ("docker.io/library/shop:2",)
    assert other.layers == 0, "layers that are there are not unpacked again"
    assert one.record.chains == other.record.chains
    assert other.record.id == making.digest(IMAGE.document)
    assert one.record.id != other.record.id
    assert set(store.names()) == {NAME, "docker.io/library/shop:2"}


def test_what_runs_here_is_chosen_among_several_machines(tmp_path: Path, store: ImageStore) -> None:
    strange = Made([TOP], architecture="s390x")
    path = making.write_tar(tmp_path / "a.tar", making.layout(strange, IMAGE, together=True))
    (loaded,) = loading.load(path, store, name="shop")
    assert loaded.record.platform == f"linux/{making.HERE}"
    assert len(loaded.record.digests) == 3  # of manifest, index and configuration
    path = making.write_tar(
        tmp_path / "b.tar", making.layout(strange, Made([TOP], architecture="mips"), together=True)
    )
    error = refused(path, store)
    assert error.finding.code == "BM0352"
    assert error.finding.known == "linux/s390x, linux/mips"
    for files in (making.saved(strange), making.layout(strange)):
        assert refused(making.write_tar(tmp_path / "c.tar", files), store).finding.code == "BM0352"


def test_several_images_share_their_layers(tmp_path: Path, store: ImageStore) -> None:
    other = Made([BASE], name="example.com/base:1")
    path = making.write_tar(tmp_path / "a.tar", making.saved(IMAGE, other))
    loaded = loading.load(path, store, name=None)
    assert [one.layers for one in loaded] == [2, 0]
    assert len(list((store.directory / "layers").iterdir())) == 2
    assert refused(path, store, name="both").finding.code == "BM0353"


@pytest.mark.parametrize(
    ("image", "name", "message"),
    [
        (Made([TOP], name=""), None, "its image has no name"),
        (Made([TOP], name="latest"), None, "it calls its image latest only"),
        (IMAGE, "Big:1", '"Big:1" is no name of an image'),
        (IMAGE, f"shop@{making.digest(b'')}", "has a digest, which follows from what an image is"),
    ],
)
def test_a_name_must_be_there_and_possible(
    image: Made, name: str | None, message: str, tmp_path: Path, store: ImageStore
) -> None:
    error = refused(making.write_tar(tmp_path / "a.tar", making.layout(image)), store, name=name)
    assert error.finding.code == "BM0353"
    assert message in error.finding.message
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme": b"no image"}, "neither manifest.json nor index.json"),
        ({"manifest.json": b"[]"}, "its list of images is empty"),
        ({"index.json": b"{}"}, "its list of images is empty"),
    ],
)
def test_what_is_no_archive_of_images_is_told(
    files: making.Files, message: str, tmp_path: Path, store: ImageStore
) -> None:
    for path in (making.write_tar(tmp_path / "a.tar", files), making.write_folder(tmp_path / "a", files)):
        error = refused(path, store)
        assert error.finding.code == "BM0350"
        assert message in error.finding.message
    (tmp_path / "text").write_text("hello " * 300)
    assert "it is no tar file" in refused(tmp_path / "text", store).finding.message
    assert "No such file" in refused(tmp_path / "nowhere", store).finding.message


def test_an_artifact_that_is_no_image_is_told(tmp_path: Path, store: ImageStore) -> None:
    files = making.layout(IMAGE)
    path = making.write_folder(tmp_path / "a", files)
    for blob in (path / "blobs" / "sha256").iterdir():
        if b"image.config" in (data := blob.read_bytes()):
            changed = data.replace(b"vnd.oci.image.config", b"vnd.cncf.helm.config")
            (blob.parent / making.digest(changed)[7:]).write_bytes(changed)
            index = (path / "index.json").read_bytes()
            index = index.replace(making.digest(data).encode(), making.digest(changed).encode())
            (path / "index.json").write_bytes(
                index.replace(str(len(data)).encode(), str(len(changed)).encode())
            )
    error = refused(path, store)
    assert error.finding.code == "BM0350"
    assert "helm.config" in error.finding.message


def test_a_truncated_archive_is_refused_wherever_it_ends(tmp_path: Path, store: ImageStore) -> None:
    image = Made([layer(entry("file", os.urandom(20_000)))])
    for files, packing in itertools.product((making.layout(image), making.saved(image)), ("plain", "gzip")):
        whole = making.write_tar(tmp_path / "whole.tar", files, packing=packing).read_bytes()
        last_file = len(whole) - (10_240 if packing == "plain" else 0)
        for length in range(0, last_file - 600, 1_024):
            (tmp_path / "cut.tar").write_bytes(whole[:length])
            assert refused(tmp_path / "cut.tar", store).finding.code in ("BM0350", "BM0351")
        loading.load(tmp_path / "whole.tar", ImageStore(tmp_path / f"other-{packing}"), name="shop")


def test_one_changed_byte_is_noticed_in_every_blob(tmp_path: Path, store: ImageStore) -> None:
    files = making.layout(IMAGE, packing="plain")
    blobs = [name for name in files if name.startswith("blobs/")]
    assert len(blobs) == 4
    for name in blobs:
        data = bytearray(files[name])
        data[len(data) // 2] ^= 1
        changed = files | {name: bytes(data)}
        error = refused(making.write_tar(tmp_path / "a.tar", changed), store)
        assert error.finding.code == "BM0351", name
    loading.load(making.write_tar(tmp_path / "a.tar", files), store, name=None)


def test_a_layer_of_docker_save_must_be_what_the_configuration_says(
    tmp_path: Path, store: ImageStore
) -> None:
    files = making.saved(IMAGE)
    name = next(name for name in files if name.startswith(making.digest(TOP)[7:]))
    error = refused(making.write_tar(tmp_path / "a.tar", files | {name: BASE}), store)
    assert (error.finding.code, "digest" in error.finding.message) == ("BM0351", True)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(layers=1), "2 layers"),
        (Limits(unpacked_bytes=20), "unpacks to more than 0 MiB"),
        (Limits(entries=2), "more than 2 files"),
        (Limits(document_bytes=10), "is no document"),
    ],
)
def test_what_is_too_large_is_refused(
    limits: Limits, message: str, tmp_path: Path, store: ImageStore
) -> None:
    path = making.write_tar(tmp_path / "a.tar", making.layout(IMAGE))
    error = refused(path, store, allowed=limits)
    assert (error.finding.code, message in error.finding.message) == ("BM0355", True)


def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, store: ImageStore) -> None:
    (tmp_path / "secret.json").write_bytes(IMAGE.document)
    files = making.saved(IMAGE)
    config = next(name for name in files if name.endswith(".json") and name != "manifest.json")
    changed = files["manifest.json"].replace(config.encode(), b"../secret.json")
    folder_ = making.write_folder(tmp_path / "a", files | {"manifest.json": changed})
    assert refused(folder_, store).finding.code == "BM0354"
    path = making.write_tar(tmp_path / "a.tar", files | {"manifest.json": changed})
    assert refused(path, store).finding.code == "BM0351"  # a tar has no such file


def test_a_disk_that_cannot_hold_it_is_told(
    tmp_path: Path, store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "mknod", full)
    error = refused(making.write_tar(tmp_path / "a.tar", making.layout(IMAGE)), store)
    assert (error.finding.code, error.exit_code) == ("BM0356", 3)
    assert "No space left on device" in error.finding.message


def test_who_is_killed_in_the_middle_leaves_nothing_half(tmp_path: Path, store: ImageStore) -> None:
    """Killed at every step that changes the store, one after the other, until a run comes through."""
    path = making.write_tar(tmp_path / "a.tar", making.layout(IMAGE, Made([BASE, BASE], name="b:1")))
    program = """
import os, signal, sys
from pathlib import Path
from bookmesh.lab.images import loading, store
left = int(sys.argv[3])
def hook(event, _arguments):
    global left
    if event in ("os.rename", "os.mkdir", "os.link", "os.rmdir", "os.remove", "os.chmod", "open"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
loading.load(Path(sys.argv[1]), store.ImageStore(Path(sys.argv[2])), name=None)
"""
    killed = 0
    for steps in itertools.count(1, 7):
        arguments = [sys.executable, "-c", program, str(path), str(store.directory), str(steps)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
        known = store.names()
        assert set(known) in (set(), {NAME, "docker.io/library/b:1"})
        for image in known.values():
            record = store.record(image)
            assert "base" in making.names_below(store.layer(record.chains[0]))
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        killed += 1
    assert killed > 5
    assert len(store.names()) == 2
    assert not (store.directory / "staging").exists()
    assert len(list((store.directory / "layers").iterdir())) == 3

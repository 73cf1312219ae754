"""Names, records and layers of a store, and what keeps them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from bookmesh.kube.node.images import ImageError
from bookmesh.lab.images.manifests import Running
from bookmesh.lab.images.records import Record
from bookmesh.lab.images.store import ImageStore


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def add(store: ImageStore, reference: str, digest: str, *chains: str) -> None:
    record = Record((f"sha256:{digest}",), chains, "linux/amd64", 1, Running())
    with store.locked() as changes:
        for chain in chains:
            if not store.layer(chain).exists():
                (changes.staging / chain).mkdir()
                (changes.staging / chain / "file").touch(mode=0o400)
                (changes.staging / chain).chmod(0o555)
                changes.add_layer(chain, changes.staging / chain)
        changes.add_images({reference: record})


def layers(store: ImageStore) -> list[str]:
    return sorted(path.name for path in (store.directory / "layers").iterdir())


def test_nothing_is_there_at_first(store: ImageStore) -> None:
    assert store.names() == {}
    assert store.version() is None
    assert not store.directory.exists(), "looking makes nothing"


def test_the_version_changes_with_the_names(store: ImageStore) -> None:
    versions = [store.version()]
    for digest in "abc":
        add(store, "shop:1", digest, "base")
        versions.append(store.version())
    assert len(set(versions)) == 4


def test_layers_go_with_the_last_image_that_has_them(store: ImageStore) -> None:
    add(store, "one:1", "a", "base", "top-a")
    add(store, "two:1", "b", "base", "top-b")
    assert layers(store) == ["base", "top-a", "top-b"]
    with store.locked() as changes:
        changes.remove("one:1")
    assert layers(store) == ["base", "top-b"]
    with store.locked() as changes:
        changes.remove("two:1")
    assert (layers(store), store.names()) == ([], {})


def test_a_new_image_of_a_name_replaces_the_old_one(store: ImageStore) -> None:
    add(store, "one:1", "a", "old")
    add(store, "one:1", "b", "new")
    assert layers(store) == ["new"]
    assert store.names() == {"one:1": "sha256:b"}


def test_what_a_container_runs_from_stays_until_it_has_ended(store: ImageStore) -> None:
    add(store, "one:1", "a", "used")
    with contextlib.ExitStack() as container:
        container.enter_context(store.held("sha256:a"))
        with store.locked() as changes:
            changes.remove("one:1")
        assert store.names() == {}
        assert layers(store) == ["used"]
        add(store, "one:1", "a", "used")  # loaded again: the same file is still the one that is held
        with store.locked() as changes:
            changes.remove("one:1")
        assert layers(store) == ["used"]
    with store.locked() as changes:
        changes.collect()
    assert layers(store) == []
    with pytest.raises(ImageError, match="was removed"):
        container.enter_context(store.held("sha256:a"))


def test_what_a_killed_process_left_is_removed_by_the_next(store: ImageStore) -> None:
    left = store.directory / "staging" / "layer-0" / "closed"
    left.mkdir(parents=True)
    left.chmod(0o000)
    with store.locked() as changes:
        assert list(changes.staging.iterdir()) == []
    assert not left.parent.parent.exists()

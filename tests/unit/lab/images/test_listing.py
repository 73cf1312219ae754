from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.lab.images import making

from bookmesh.base.findings import BookmeshError
from bookmesh.lab.images import listing, loading
from bookmesh.lab.images.store import ImageStore


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """With one image, of a name that a stand-in has."""
    store = ImageStore(tmp_path / "images")
    image = making.Made([making.layer(making.entry("file", "four"))])
    path = making.write_tar(tmp_path / "a.tar", making.layout(image))
    loading.load(path, store, name="bookmesh/bookinfo-reviews:0.1.0")
    return store


def test_each_name_says_what_answers(store: ImageStore) -> None:
    names = ["bookmesh/bookinfo-reviews:0.1.0", "bookmesh/bookinfo-ratings:0.1.0", "shop:1"]
    loaded, stand_in, nothing = listing.rows(store, names)
    assert loaded["reference"] == "docker.io/bookmesh/bookinfo-reviews:0.1.0"
    assert (loaded["answers"], loaded["stand_in"]) == ("loaded", "bookinfo.main:main reviews")
    assert (loaded["bytes"], loaded["layers"], loaded["platform"]) == (4, 1, f"linux/{making.HERE}")
    assert loaded["digest"].startswith("sha256:")
    assert (stand_in["answers"], stand_in["digest"]) == ("stand-in", None)
    assert (nothing["answers"], nothing["stand_in"], nothing["reference"]) == (
        "nothing",
        None,
        "docker.io/library/shop:1",
    )


def test_removing_is_for_all_names_or_none(store: ImageStore, tmp_path: Path) -> None:
    name = "bookmesh/bookinfo-reviews:0.1.0"
    for empty_or_not in (store, ImageStore(tmp_path / "empty")):
        with pytest.raises(BookmeshError) as error:
            listing.remove(empty_or_not, [name, "shop:1"], lab="x")
        assert error.value.finding.code == "BM0357"
    assert len(store.names()) == 1
    assert listing.remove(store, [name, f"docker.io/{name}"], lab="x") == [f"docker.io/{name}"]
    assert store.names() == {}

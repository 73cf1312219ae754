"""One layer into a directory: what is made, what is removed, and where nothing may be made."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies
from tests.unit.lab.images import making
from tests.unit.lab.images.making import entry, folder, hard_link, layer, link
from tests.unit.lab.images.merging import Step, merged, model, step_layer, steps

from bookmesh.base.findings import BookmeshError
from bookmesh.lab.images import limits, loading
from bookmesh.lab.images.unpacking import Unpacker

ROOT = os.geteuid() == 0


def unpack(target: Path, data: bytes, *below: Path) -> Path:
    target.mkdir()
    unpacker = Unpacker(
        target,
        below=below,
        owning=loading.has_every_uid(),
        budget=limits.Budget("image", limits.Limits()),
        where="layer",
    )
    unpacker.unpack(io.BytesIO(data))
    return target


def code_of(target: Path, data: bytes, *below: Path) -> str:
    with pytest.raises(BookmeshError) as error:
        unpack(target, data, *below)
    return error.value.finding.code


@hypothesis.given(strategies.lists(steps(), min_size=1, max_size=4))
@hypothesis.example([Step((("a/b", "x"),), (), ()), Step((("a", None),), ("a",), ())])
@hypothesis.settings(max_examples=60)
def test_stacked_layers_show_what_the_specification_says(layers: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        unpacked: list[Path] = []
        for number, one in enumerate(layers):
            unpacked.insert(0, unpack(Path(directory) / str(number), step_layer(one), *unpacked))
        assert merged(unpacked) == model(layers)


def test_files_have_their_mode_and_time_and_their_owner_where_there_are_others(tmp_path: Path) -> None:
    data = layer(
        folder("d", 0o1777, uid=7, gid=8),
        entry("d/setuid", "x", mode=0o4755, uid=1234, gid=5678),
        entry("d/secret", "x", mode=0o400),
        entry("pipe", type=tarfile.FIFOTYPE, mode=0o640),
    )
    root = unpack(tmp_path / "a", data)
    program = (root / "d" / "setuid").stat()
    assert stat.S_IMODE(program.st_mode) == 0o4755
    assert program.st_mtime == 1_700_000_000
    assert (program.st_uid, program.st_gid) == ((1234, 5678) if ROOT else (os.geteuid(), os.getegid()))
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o1777
    assert (root / "d").stat().st_mtime == 1_700_000_000
    assert stat.S_IMODE((root / "d" / "secret").stat().st_mode) == 0o400
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)


def test_a_directory_that_forbids_writing_gets_its_files_all_the_same(tmp_path: Path) -> None:
    root = unpack(tmp_path / "a", layer(folder("d", 0o555), entry("d/file", "x"), entry("d/more", "x")))
    assert making.names_below(root) == ["d", "d/file", "d/more"]
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o555


def test_devices_are_left_out(tmp_path: Path) -> None:
    data = layer(
        entry("disk", type=tarfile.BLKTYPE, devmajor=8),
        entry("hidden", type=tarfile.CHRTYPE),  # what an overlay would take for a whiteout
        entry("file"),
    )
    assert making.names_below(unpack(tmp_path / "a", data)) == ["file"]


@pytest.mark.parametrize(
    "name", ["../out", "a/../../out", "/../out", "a/b/../../../../out", ".wh...", "a/.wh..", ".wh."]
)
def test_a_name_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    assert code_of(tmp_path / "in", layer(folder("a"), entry(name, "x"))) == "BM0354"
    assert making.names_below(tmp_path) in (["in"], ["in", "in/a"])


def test_a_hard_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the host")
    assert code_of(tmp_path / "in", layer(hard_link("mine", "../secret"))) == "BM0354"
    assert code_of(tmp_path / "in2", layer(link("up", ".."), hard_link("mine", "up/secret"))) == "BM0351"


@pytest.mark.parametrize("target", ["/", "..", "../..", "/../../..", "{outside}", "/a/../../.."])
def test_a_symbolic_link_leads_nowhere_but_into_the_layer(target: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    data = layer(folder("a"), link("a/way", target.format(outside=outside)), entry("a/way/file", "x"))
    root = unpack(tmp_path / "in", data)
    assert list(outside.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "outside"]
    assert len([name for name in making.names_below(root) if name.endswith("file")]) == 1


def test_links_are_kept_as_they_are(tmp_path: Path) -> None:
    data = layer(
        link("absolute", "/etc/shadow"), entry("one", "x"), hard_link("two", "/one"), link("s", "one")
    )
    root = unpack(tmp_path / "a", data)
    assert os.readlink(root / "absolute") == "/etc/shadow"
    assert (root / "one").stat().st_nlink == 2
    assert os.path.samefile(root / "one", root / "two")


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    data = layer(link("a", "b"), link("b", "a"), entry("a/file"))
    assert code_of(tmp_path / "in", data) == "BM0351"


def test_a_hard_link_to_a_layer_below_takes_the_file_along(tmp_path: Path) -> None:
    below = unpack(tmp_path / "below", layer(entry("one", "x", mode=0o600), entry("gone", "y")))
    middle = unpack(tmp_path / "middle", layer(entry(".wh.gone")), below)
    top = unpack(tmp_path / "top", layer(hard_link("two", "one")), middle, below)
    assert (top / "two").read_text() == "x"
    assert stat.S_IMODE((top / "two").stat().st_mode) == 0o600
    assert code_of(tmp_path / "bad", layer(hard_link("two", "gone")), middle, below) == "BM0351"
    assert code_of(tmp_path / "worse", layer(hard_link("two", "/")), below) == "BM0351"


def test_a_folder_that_a_layer_does_not_describe_is_as_below(tmp_path: Path) -> None:
    below = unpack(tmp_path / "below", layer(folder("d", 0o1777), folder("e", 0o700)))
    top = unpack(tmp_path / "top", layer(entry("d/file"), entry("new/file")), below)
    assert stat.S_IMODE((top / "d").stat().st_mode) == 0o1777
    assert stat.S_IMODE((top / "new").stat().st_mode) == 0o755


def test_a_file_where_a_folder_should_be_is_told(tmp_path: Path) -> None:
    assert code_of(tmp_path / "in", layer(entry("a"), entry("a/b"))) == "BM0351"


def test_what_comes_later_in_a_layer_replaces_what_came_before(tmp_path: Path) -> None:
    data = layer(
        folder("a"), entry("a/b", "old"), entry("a", "file"), entry("c"), folder("c"), entry("c/d", "x")
    )
    root = unpack(tmp_path / "a", data)
    assert (root / "a").read_text() == "file"
    assert (root / "c" / "d").read_text() == "x"


def test_attributes_of_overlays_are_not_taken_from_an_image(tmp_path: Path) -> None:
    attributes = {
        "SCHILY.xattr.user.note": "kept",
        "SCHILY.xattr.user.overlay.opaque": "y",
        "SCHILY.xattr.trusted.overlay.redirect": "/etc",
    }
    data = layer(folder("d", pax_headers=attributes), entry("file", pax_headers=attributes))
    root = unpack(tmp_path / "a", data)
    for name in ("d", "file"):
        assert os.listxattr(root / name) == ["user.note"]
        assert os.getxattr(root / name, "user.note") == b"kept"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no tar at all" * 100,
        layer(entry("file", "x" * 5000))[:3000],
    ],
)
def test_what_is_no_layer_is_told(data: bytes, tmp_path: Path) -> None:
    assert code_of(tmp_path / "in", data) == "BM0351"


def test_a_header_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    assert code_of(tmp_path / "in", info.tobuf(tarfile.GNU_FORMAT) + b"x" * 4096) == "BM0351"


def test_odd_owners_and_times_are_told_or_taken(tmp_path: Path) -> None:
    data: Any = layer(entry("file", uid=2**40, mtime=-5))
    if ROOT:
        assert code_of(tmp_path / "in", data) == "BM0351"
    else:
        assert (unpack(tmp_path / "in", data) / "file").stat().st_mtime == -5

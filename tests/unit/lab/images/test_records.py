from __future__ import annotations

import hashlib
import signal
from pathlib import Path

import pytest

from bookmesh.lab.images import records
from bookmesh.lab.images.manifests import Running


def test_a_chain_names_a_layer_with_all_below_it() -> None:
    chains = records.chain_ids(["sha256:a", "sha256:b"])
    assert chains == ("sha256:a", f"sha256:{hashlib.sha256(b'sha256:a sha256:b').hexdigest()}")
    assert records.chain_ids(["sha256:b"]) != chains[1:]


def test_an_image_is_what_its_configuration_says() -> None:
    running = Running(
        ["/app"], ["--serve"], ["PATH=/bin", "A=b=c"], "/srv", "app:staff", "SIGQUIT", {"/data": {}}
    )
    record = records.Record(
        ("sha256:d", "sha256:e"), ("1", "2"), "linux/arm64", 7, running, "app:x:5:6::/h:/s\n"
    )
    image = records.build_image(record, "localhost:5000/shop:1", layers=[Path("/l/1"), Path("/l/2")])
    assert (image.entrypoint, image.command, image.env) == (
        ("/app",),
        ("--serve",),
        {"PATH": "/bin", "A": "b=c"},
    )
    assert (image.working_dir, image.user, image.stop_signal) == ("/srv", "app:staff", signal.SIGQUIT)
    assert image.volumes == ("/data",)
    assert image.layers == ("/l/2", "/l/1"), "the uppermost first"
    assert image.image_id == "localhost:5000/shop@sha256:d"
    assert image.accounts is not None
    assert image.accounts.users[0].uid == 5


def test_an_image_that_says_nothing_is_run_by_root_in_the_root() -> None:
    image = records.build_image(records.Record(("d",), ("1",), "", 0, Running()), "shop", layers=[Path("/l")])
    assert (image.entrypoint, image.command, image.working_dir, image.user) == ((), (), "/", "")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SIGQUIT", 3),
        ("quit", 3),
        ("9", 9),
        (None, 15),
        ("", 15),
        ("999", 15),
        ("SIG_DFL", 15),
        ("nonsense", 15),
    ],
)
def test_signals_are_read_in_each_spelling(text: str | None, number: int) -> None:
    assert records.parse_signal(text) == number


def test_accounts_are_read_as_the_layers_show_them(tmp_path: Path) -> None:
    top, base = tmp_path / "top", tmp_path / "base"
    for layer in (top, base):
        (layer / "etc").mkdir(parents=True)
    (base / "etc" / "passwd").write_text("below")
    (base / "etc" / "group").write_text("group")
    (top / "etc" / "passwd").write_text("above")
    assert records.read_accounts([top, base]) == ("above", "group")
    (top / "etc" / "passwd").unlink()
    (top / "etc" / "passwd").symlink_to("/etc/hostname")
    assert records.read_accounts([top, base]) == ("", "group")

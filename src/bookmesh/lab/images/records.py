"""What the lab keeps about a loaded image beside its layers: one JSON file each."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bookmesh.kube.node import images, users
from bookmesh.lab.images import lookups, manifests, references


class Record(msgspec.Struct, frozen=True):
    """
    One loaded image.

    `digests` are all by which it may be called, that of a status first. `chains` name the directories of its layers,
    the lowest first. `bytes` is what it has unpacked, alone or together with others. `passwd` and `group` are its own
    files of these names.
    """

    digests: tuple[str, ...]
    chains: tuple[str, ...]
    platform: str
    bytes: int
    running: manifests.Running
    passwd: str = ""
    group: str = ""

    @property
    def id(self) -> str:
        return self.digests[0]


def chain_ids(diff_ids: Sequence[str]) -> tuple[str, ...]:
    """
    Name each layer together with all below it, the lowest first: what a layer unpacks to depends on those.

    Source: "Layer ChainID" of the OCI image specification.
    """
    chains: list[str] = []
    for diff_id in diff_ids:
        text = f"{chains[-1]} {diff_id}" if chains else diff_id
        chains.append(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" if chains else diff_id)
    return tuple(chains)


def build_image(record: Record, reference: str, *, layers: Sequence[Path]) -> images.Image:
    """Build what the node runs. `layers` are the directories of `record.chains`, in that order."""
    running = record.running
    return images.Image(
        reference=reference,
        entrypoint=tuple(running.entrypoint or ()),
        command=tuple(running.cmd or ()),
        env=dict(variable.split("=", 1) for variable in running.env or () if "=" in variable),
        working_dir=running.working_dir or "/",
        layers=tuple(str(layer) for layer in reversed(layers)),
        user=running.user or "",
        accounts=users.parse_accounts(record.passwd, record.group),
        volumes=tuple(sorted(running.volumes or ())),
        image_id=f"{references.parse(reference).repository}@{record.id}",
        stop_signal=parse_signal(running.stop_signal),
    )


def parse_signal(text: str | None) -> int:
    """Read a STOPSIGNAL: `SIGQUIT`, `QUIT` or `3`; SIGTERM where there is none, or one that Linux does not have."""
    if not text:
        return signal.SIGTERM
    if text.isdecimal() and 0 < int(text) <= signal.SIGRTMAX:
        return int(text)
    name = text.upper()
    found = getattr(signal, name if name.startswith("SIG") else f"SIG{name}", signal.SIGTERM)
    return int(found) if isinstance(found, signal.Signals) else signal.SIGTERM


def read_accounts(layers: Sequence[Path]) -> tuple[str, str]:
    """Read /etc/passwd and /etc/group as an image shows them; `layers` are its directories, the uppermost first."""
    tree = lookups.Layer(layers[0], layers, owning=False, where="")
    texts = []
    for name in ("etc/passwd", "etc/group"):
        found = tree.below(layers[0] / name)
        is_file = found is not None and not found.is_symlink() and found.is_file()
        texts.append(_beginning(found) if found is not None and is_file else "")
    return texts[0], texts[1]


def _beginning(path: Path) -> str:
    """At most a megabyte: such files are short."""
    if not os.access(path, os.R_OK):
        return ""
    with path.open("rb") as file:
        return file.read(1 << 20).decode(errors="replace")

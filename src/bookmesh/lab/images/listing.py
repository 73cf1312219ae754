"""What `bookmesh image` shows and removes: loaded images beside the stand-ins whose names they take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bookmesh.lab.images import catalogue, problems, references, resolving
from bookmesh.lab.images.store import ImageStore


def rows(store: ImageStore, names: Iterable[str]) -> list[dict[str, Any]]:
    """
    Say for each name what answers for it.

    Returns:
        Maps of `reference` (complete), `answers` ("loaded", "stand-in" or "nothing"), `stand_in` (what would answer if
        nothing were loaded, else None), and of a loaded image `digest`, `platform`, `bytes` and `layers`, else None.
    """
    known = store.names()
    records = resolving.read_records(store, known)
    entries = catalogue.load()
    found = []
    for name in names:
        record = resolving.find(name, known, records)
        stand_in = catalogue.find(entries, name)
        row: dict[str, Any] = {
            "reference": complete(name),
            "answers": "loaded" if record else "stand-in" if stand_in else "nothing",
            "stand_in": catalogue.describe(*stand_in) if stand_in else None,
            "digest": record.id if record else None,
            "platform": record.platform if record else None,
            "bytes": record.bytes if record else None,
            "layers": len(record.chains) if record else None,
        }
        found.append(row)
    return found


def remove(store: ImageStore, names: Iterable[str], *, lab: str) -> list[str]:
    """
    Forget images by their names, all or none.

    Returns:
        Their complete references.

    Raises:
        BookmeshError: BM0357, one of them is not loaded.
    """
    wanted = list(dict.fromkeys(complete(name) for name in names))
    if not store.directory.exists():
        raise problems.not_loaded(wanted[0], known=(), lab=lab)
    with store.locked() as changes:
        known = store.names()
        for name in wanted:
            if name not in known:
                raise problems.not_loaded(name, known=known, lab=lab)
        for name in wanted:
            changes.remove(name)
    return wanted


def complete(name: str) -> str:
    """A name with its registry and tag; one that is none stays as it is."""
    try:
        return str(references.parse(name))
    except ValueError:
        return name

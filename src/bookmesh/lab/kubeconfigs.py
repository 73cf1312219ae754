"""Merge the lab's context into a person's own kubeconfig; their current context is never switched silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bookmesh.base import findings
from bookmesh.lab import keys


def merge(target: Path, addition: Path, *, use: bool) -> bool:
    """
    Add the clusters, users and contexts of `addition` to `target`, replacing those of the same name.

    Args:
        use: also make it the current context.

    Returns:
        True when `target` now has the lab as its current context.

    Raises:
        BookmeshError: `target` is not a kubeconfig; it is left alone.
    """
    new = _load(addition)
    old: dict[str, Any] = (
        _load(target) if target.exists() and target.stat().st_size else {"apiVersion": "v1", "kind": "Config"}
    )
    for section in ("clusters", "users", "contexts"):
        names = {entry["name"] for entry in new[section]}
        kept = [entry for entry in old.get(section) or [] if entry["name"] not in names]
        old[section] = kept + new[section]
    if use or not old.get("current-context"):
        old["current-context"] = new["current-context"]
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys.write_private(target, yaml.safe_dump(old, sort_keys=False).encode())
    return bool(old["current-context"] == new["current-context"])


def _load(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        document = error
    if not isinstance(document, dict) or document.get("kind", "Config") != "Config":
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0108",
                message=f"{path} is not a kubeconfig",
                known=str(document).splitlines()[0] if isinstance(document, Exception) else "",
                hint="name another file with --into, or mend this one; nothing was changed",
            )
        )
    return document

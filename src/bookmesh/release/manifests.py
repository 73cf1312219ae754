"""What Helm says, as data: manifests, and histories of releases. Pure; both ways to Helm use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from bookmesh.base.kubernetes import JsonObject

_HOOK: Final = "helm.sh/hook"
_GOOD: Final = frozenset({"deployed", "superseded"})


def parse(text: str) -> list[JsonObject]:
    """The objects of a manifest in a fixed order; hooks are left out, as Helm keeps them apart."""
    objects = [document for document in yaml.safe_load_all(text) if document]
    plain = [one for one in objects if _HOOK not in (one["metadata"].get("annotations") or {})]
    return sorted(plain, key=lambda one: (one["kind"], one["metadata"]["name"]))


def revision(summary: Mapping[str, Any]) -> int:
    """The revision of a release, from any of Helm's descriptions of it."""
    return int(summary.get("version") or summary.get("revision") or 0)


def way_back(history: Sequence[Mapping[str, Any]]) -> int | None:
    """
    Where to go back to when the last action on a release never ended, as a killed process leaves it.

    Helm refuses to touch such a release.

    Returns:
        The last revision that was in good order; 0 when there was none; None when the last action has ended.
    """
    *_, last = sorted(history, key=revision)
    if not last["status"].startswith("pending"):
        return None
    return max((revision(one) for one in history if one["status"] in _GOOD), default=0)

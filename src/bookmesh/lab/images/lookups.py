"""Where a path of a layer is: in the layer itself, never outside of it, or in those below as an overlay shows them."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bookmesh.lab.images import problems

_MOST_LINKS: Final = 40
_OPAQUE: Final = "overlay.opaque"


class Layer:
    """A layer that is being unpacked into `root`, above the unpacked ones `below`, the uppermost first."""

    def __init__(self, root: Path, below: Sequence[Path], *, owning: bool, where: str) -> None:
        """`owning`: with owners as the image has them, which takes root; the lab's overlays are root's, too, then."""
        self.root = root
        self._below = below
        self._owning = owning
        self._where = where

    def parts(self, name: str) -> list[str]:
        """
        Split a name as it is in a tar file; a leading slash means nothing.

        Raises:
            BookmeshError: BM0354, it leads out of the root.
        """
        parts: list[str] = []
        for part in name.split("/"):
            if part == "..":
                if not parts:
                    raise problems.leads_out(self._where, name)
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return parts

    def directory(self, parts: Iterable[str]) -> Path:
        """
        Find a directory, following links as a process would whose root is the layer; what is missing is made.

        Raises:
            BookmeshError: BM0351, something else is in the way, or links go round in a circle.
        """
        current: list[str] = []
        waiting = deque(parts)
        links = 0
        while waiting:
            part = waiting.popleft()
            if part == "..":
                current = current[:-1]
            elif part not in ("", "."):
                path = self.root.joinpath(*current, part)
                if path.is_symlink():
                    links += 1
                    target = os.readlink(path)
                    current = [] if target.startswith("/") else current
                    waiting.extendleft(reversed(target.split("/")))
                else:
                    self._ensure_directory(path)
                    current.append(part)
            if links > _MOST_LINKS:
                raise problems.damaged(self._where, f"{part} is in a circle of symbolic links")
        return self.root.joinpath(*current)

    def below(self, path: Path) -> Path | None:
        """What the layers below show at a path of this layer; None for nothing."""
        relative = path.relative_to(self.root)
        for layer in self._below:
            found = layer / relative
            if os.path.lexists(found):
                return None if is_whiteout(found) else found
            if _ends_lookup(layer, relative):
                return None
        return None

    def hide_below(self, directory: Path) -> None:
        """Let a directory hide what the layers below have at its place; a user's overlay looks at other attributes."""
        os.setxattr(directory, f"{'trusted' if self._owning else 'user'}.{_OPAQUE}", b"y")

    def inherit(self, path: Path) -> None:
        """Give a directory that the layer does not describe the mode and owner that it has below, else 0755."""
        found = self.below(path)
        if found is None or found.is_symlink() or not found.is_dir():
            path.chmod(0o755)
            return
        status = found.stat()
        if self._owning:
            os.chown(path, status.st_uid, status.st_gid)
        path.chmod(stat.S_IMODE(status.st_mode) | stat.S_IRWXU)

    def _ensure_directory(self, path: Path) -> None:
        if path.is_dir():
            return
        was_removed = is_whiteout(path)
        if was_removed:
            path.unlink()
        elif os.path.lexists(path):
            inside = path.relative_to(self.root)
            raise problems.damaged(self._where, f"/{inside} is a file, and something is to be in it")
        path.mkdir(0o700)
        self.inherit(path)
        if was_removed:
            self.hide_below(path)


def is_whiteout(path: Path) -> bool:
    """Whether an overlay hides at this place what is below."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _ends_lookup(layer: Path, relative: Path) -> bool:
    """Whether a layer that has not got a path hides it in those below: by a parent that is opaque or no directory."""
    for parent in reversed(relative.parents):
        found = layer / parent
        if not os.path.lexists(found):
            return False
        if found.is_symlink() or not found.is_dir() or _is_opaque(found):
            return True
    return False


def _is_opaque(directory: Path) -> bool:
    return any(name.endswith(f".{_OPAQUE}") for name in os.listxattr(directory))

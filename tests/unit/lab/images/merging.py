"""
Stacked layers three ways: as tar files, as an overlay would show their directories, and as the specification says.

A tree is a map from path to what is there: None for a directory, else the text of a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hypothesis import strategies
from tests.unit.lab.images import making

Tree = dict[str, str | None]


@dataclass(frozen=True)
class Step:
    """What one layer does, in an order that is no rule: makes, removes, and hides all that is below directories."""

    made: tuple[tuple[str, str | None], ...]
    removed: tuple[str, ...]
    hiding: tuple[str, ...]


_PATHS = strategies.lists(strategies.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@strategies.composite
def steps(draw: strategies.DrawFn) -> Step:
    """Any layer in which no file is also a directory."""
    made: Tree = {}
    for path, content in draw(
        strategies.dictionaries(_PATHS, strategies.sampled_from(["x", "y", None]))
    ).items():
        if content is None or not any(other.startswith(f"{path}/") for other in made):
            made[path] = content
    files = {path for path, content in made.items() if content is not None}
    made = {path: content for path, content in made.items() if not _is_below(path, files)}
    removed = [path for path in draw(strategies.lists(_PATHS, max_size=3)) if not _is_below(path, files)]
    hiding = [path for path in draw(strategies.lists(_PATHS, max_size=2)) if not _is_below(f"{path}/", files)]
    order = draw(strategies.permutations(list(made.items())))
    return Step(tuple(order), tuple(removed), tuple(hiding))


def _is_below(path: str, files: set[str]) -> bool:
    return any(path.startswith(f"{file}/") for file in files)


def step_layer(step: Step) -> bytes:
    """The layer as a tar file: some whiteouts before what they must not touch, some after."""
    entries = [
        making.folder(path) if content is None else making.entry(path, content) for path, content in step.made
    ]
    for number, path in enumerate(step.removed):
        parent, _, name = path.rpartition("/")
        entries.insert(len(entries) * (number % 2), making.entry(os.path.join(parent, f".wh.{name}")))
    for number, path in enumerate(step.hiding):
        entries.insert(len(entries) * (number % 2), making.entry(f"{path}/.wh..wh..opq"))
    return making.layer(*entries)


def model(layers: Sequence[Step]) -> Tree:
    """Stack layers by the rules of the specification, the lowest first."""
    tree: Tree = {}
    for step in layers:
        for path in step.removed:
            tree = {known: content for known, content in tree.items() if not _within(known, path)}
        for path in step.hiding:
            tree = {
                known: content for known, content in tree.items() if known == path or not _within(known, path)
            }
        for path in step.removed:
            _make(tree, str(PurePosixPath(path).parent), None)
        for path in step.hiding:
            _make(tree, path, None)
        for path, content in step.made:
            _make(tree, path, content)
    return tree


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")


def _make(tree: Tree, path: str, content: str | None) -> None:
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        if tree.get(str(parent), "") is not None:
            tree[str(parent)] = None
    if path == "." or (content is None and path in tree and tree[path] is None):
        return
    for known in [known for known in tree if _within(known, path)]:
        del tree[known]
    tree[path] = content


def merged(layers: Sequence[Path]) -> Tree:
    """What an overlay shows of directories, the uppermost first; from the kernel's documentation, not from ours."""
    tree: Tree = {}
    _merge(list(layers), "", tree)
    return tree


def _merge(directories: Sequence[Path], prefix: str, tree: Tree) -> None:
    for name in sorted({name for directory in directories for name in os.listdir(directory)}):
        stack: list[Path] = []
        for directory in directories:
            path = directory / name
            if not os.path.lexists(path):
                continue
            if not path.is_dir() or path.is_symlink():
                if not stack and not stat.S_ISCHR(path.lstat().st_mode):
                    tree[prefix + name] = path.read_text()
                break
            stack.append(path)
            if any(attribute.endswith(".overlay.opaque") for attribute in os.listxattr(path)):
                break
        if stack:
            tree[prefix + name] = None
            _merge(stack, f"{prefix}{name}/", tree)

"""Where objects and their fields are written: YAML files with the line of each field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

EXTENSIONS: Final = (".yaml", ".yml", ".json")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file: what it says, and the parsed text that still knows its lines (from 1)."""

    file: str
    content: dict[str, Any]
    node: yaml.Node

    def names(self, namespace: str = "default") -> tuple[str, str]:
        """`Kind namespace/name`, where `namespace` is for an object that names none, and `Kind name`."""
        metadata, kind = self.content.get("metadata") or {}, self.content.get("kind", "")
        name = metadata.get("name", "")
        return f"{kind} {metadata.get('namespace') or namespace}/{name}", f"{kind} {name}"

    def line_of(self, path: str) -> int:
        """The line of a field, or of the innermost part of its path that is there."""
        node, line = self.node, self.node.start_mark.line + 1
        for name, index in _STEP.findall(path):
            found = _child(node, name, index)
            if found is None:
                break
            node, line = found
        return line


@dataclass(frozen=True, slots=True)
class Places:
    """All that is written in some files."""

    documents: tuple[Document, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.documents)

    def find(self, obj: str, path: str, live: Mapping[str, Any]) -> str | None:
        """
        `FILE:LINE` of a field of `Kind namespace/name`, in a file that says what the `live` object says.

        Returns:
            None when no file has the object, or each of those that have it says something else.
        """
        for document in self.documents:
            is_same = document.names()[0] == obj and is_part(document.content.get("spec"), live.get("spec"))
            if is_same:
                return f"{document.file}:{document.line_of(path)}"
        return None


def is_part(written: Any, live: Any) -> bool:
    """Whether all that is written is there: the API server adds defaults, and takes only empty things away."""
    if not written and not live:
        return True
    if isinstance(written, dict):
        return isinstance(live, dict) and all(is_part(value, live.get(key)) for key, value in written.items())
    if isinstance(written, list):
        return (
            isinstance(live, list)
            and len(written) == len(live)
            and all(is_part(one, other) for one, other in zip(written, live, strict=True))
        )
    return bool(written == live)


def read(paths: Sequence[Path]) -> Places:
    """
    Read files, and folders with all that is below them.

    Raises:
        OSError: a file cannot be read. YAMLError: it is no YAML; the message says where.
    """
    documents = tuple(
        document
        for path in paths
        for file in files_in(path)
        for document in parse(file.read_text(), str(file))
    )
    return Places(documents)


def files_in(path: Path) -> Iterator[Path]:
    """The file itself, or those of a folder whose names say that they hold objects."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(each for each in path.rglob("*") if each.suffix in EXTENSIONS and each.is_file())


def parse(text: str, name: str) -> Iterator[Document]:
    """
    The objects of a text, those of lists one by one.

    Raises:
        YAMLError: it is no YAML.
    """
    for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
        if isinstance(node, yaml.MappingNode):
            yield from _documents(node, yaml.SafeLoader("").construct_document(node), name)


def _documents(node: yaml.MappingNode, content: dict[str, Any], name: str) -> Iterator[Document]:
    if content.get("kind") != "List":
        yield Document(name, content, node)
        return
    items = _child(node, "items", "")
    nodes: Iterable[yaml.Node] = items[0].value if items is not None else ()
    for item, own in zip(nodes, content.get("items") or [], strict=True):
        if isinstance(item, yaml.MappingNode):
            yield from _documents(item, own, name)


def _child(node: yaml.Node, name: str, index: str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode) and name:
        for key, value in node.value:
            if key.value == name:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        item = node.value[int(index)]
        return item, item.start_mark.line + 1
    return None

"""The table of protobuf field numbers, parsed from `protobuf_fields.txt`, where its format is explained."""

from __future__ import annotations

import functools
import importlib.resources
from dataclasses import dataclass
from typing import Final, Literal

Shape = Literal["one", "list", "map"]
SCALARS: Final = frozenset({"string", "bytes", "bool", "int", "double"})
_BRACKETS: Final[dict[str, Shape]] = {"[": "list", "{": "map"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message. `type` is a scalar's name or a message's; `keeps_zero` says that zero is a value."""

    name: str
    type: str
    shape: Shape
    keeps_zero: bool

    @property
    def is_inline(self) -> bool:
        """True when the fields of the message belong to the enclosing object."""
        return self.name == "*"


Message = dict[int, Field]


@functools.cache
def messages() -> dict[str, Message]:
    """Return every known message by short name, such as `core.v1.ConfigMap`."""
    source = importlib.resources.files(__package__) / "protobuf_fields.txt"
    table: dict[str, Message] = {}
    for line in source.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, fields = line.partition(":")
            table[name] = dict(_field(entry) for entry in fields.split(";") if entry.strip())
    return table


def _field(entry: str) -> tuple[int, Field]:
    number, name, text = entry.split()
    shape = _BRACKETS.get(text[0], "one")
    return int(number), Field(name, text.strip("[]{}?"), shape, text.endswith("?"))

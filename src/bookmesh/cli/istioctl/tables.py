"""Tables as istioctl prints them: columns apart by some spaces, usually five, nothing behind the last one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

GAP: Final = 5


def render(header: Sequence[str], rows: Iterable[Sequence[object]], *, gap: int = GAP) -> str:
    """Lay out a header and rows of as many cells; ends without a newline."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) + gap for column in range(len(header))]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(line[:-1], widths[:-1], strict=True)) + line[-1]
        for line in lines
    )


def pairs(found: Iterable[tuple[str, str]]) -> str:
    """Names and values, the values below each other; ends without a newline."""
    lines = [(f"{name}:", value) for name, value in found if value]
    width = max((len(name) for name, _ in lines), default=0) + 1
    return "\n".join(f"{name.ljust(width)}{value}" for name, value in lines)

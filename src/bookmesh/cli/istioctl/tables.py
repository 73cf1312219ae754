"""Tables as istioctl prints them: columns apart by five spaces, nothing behind the last one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_GAP = 5


def render(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a header and rows of as many cells; ends without a newline."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) + _GAP for column in range(len(header))]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(line[:-1], widths[:-1], strict=True)) + line[-1]
        for line in lines
    )

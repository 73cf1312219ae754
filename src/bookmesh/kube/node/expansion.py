"""`$(NAME)` references in env values, commands and arguments. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, known: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by its value; `$$` is a literal dollar; a name that is not known stays as it is."""

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "$"
        return known.get(name, match[0])

    return _REFERENCE.sub(replacement, text)

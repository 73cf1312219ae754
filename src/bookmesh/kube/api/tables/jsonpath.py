"""
The part of JSONPath that `additionalPrinterColumns` use.

`.spec.host`, `.spec.hosts[0]`, `.spec.hosts[*]`, `.metadata.annotations['a/b']`, `.metadata.labels.a\\.b` and
`.status.conditions[?(@.type=="Ready")].status`.
"""

from __future__ import annotations

import re
from typing import Any, Final

_ESCAPED_DOT: Final = "\0"
_STEP: Final = re.compile(
    r"""\.(?P<key>[^.\[\]]+)
      | \[(?P<index>-?\d+)\]
      | \[(?P<all>\*)\]
      | \[(?P<quote>['"])(?P<quoted>[^'"]+)(?P=quote)\]
      | \[\?\(\s*@(?P<filter>(?:\.[\w-]+)+)\s*==\s*(?P<mark>['"])(?P<value>[^'"]*)(?P=mark)\s*\)\]""",
    re.VERBOSE,
)


def find(obj: Any, path: str) -> list[Any]:
    """
    Everything at `path`, in document order; empty when there is nothing or the path is not understood.

    Braces around the path and a leading `$` are allowed.
    """
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$").replace("\\.", _ESCAPED_DOT)
    if not text.startswith((".", "[")):
        text = "." + text
    found, position = [obj], 0
    while position < len(text) and found:
        step = _STEP.match(text, position)
        if step is None:
            return []
        found = [result for value in found for result in _take(value, step)]
        position = step.end()
    return found


def _take(value: Any, step: re.Match[str]) -> list[Any]:
    key = step["key"] or step["quoted"]
    if key:
        key = key.replace(_ESCAPED_DOT, ".")
        if key == "*":
            return list(value.values()) if isinstance(value, dict) else []
        return [value[key]] if isinstance(value, dict) and key in value else []
    if not isinstance(value, list):
        return []
    if step["all"]:
        return value
    if step["index"]:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    return [entry for entry in value if find(entry, step["filter"]) == [step["value"]]]

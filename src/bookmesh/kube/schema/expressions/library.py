"""Every function by the name under which expressions call it: cel-go's extensions, and those of Kubernetes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bookmesh.kube.schema.expressions import (
    addresses,
    amounts,
    authorizers,
    formats,
    lists,
    runtime,
    texts,
    urls,
    versions,
)
from bookmesh.kube.schema.expressions.engine import stdlib

FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **stdlib.STDLIB_FUNCTIONS,
    **texts.FUNCTIONS,
    **lists.FUNCTIONS,
    **urls.FUNCTIONS,
    **addresses.FUNCTIONS,
    **amounts.FUNCTIONS,
    **formats.FUNCTIONS,
    **versions.FUNCTIONS,
    **authorizers.FUNCTIONS,
}
EVERYTHING: Final[Mapping[str, Callable[..., Any]]] = {**FUNCTIONS, **runtime.FUNCTIONS}
"""With those that only lowered expressions call."""
NAMESPACES: Final = frozenset(
    {name.partition(".")[0] for name in FUNCTIONS if "." in name} | {"optional", "cel"}
)
"""Names that stand before a dot and are no variables: `math`, `sets`, `ip`."""

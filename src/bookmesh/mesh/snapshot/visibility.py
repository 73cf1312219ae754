"""`exportTo`: which namespaces see a service, a route or a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

EVERYBODY: Final = "*"
NOBODY: Final = "~"
OWN: Final = "."


def is_visible(
    export_to: Sequence[str], *, owner: str, namespace: str, default: Sequence[str] = (EVERYBODY,)
) -> bool:
    """
    Whether what is in namespace `owner` is seen in `namespace`; without `exportTo` the default of the mesh counts.

    `*` wins over all else, and `~` over all but `*`.
    """
    wanted = export_to or default
    if EVERYBODY in wanted:
        return True
    if NOBODY in wanted:
        return False
    return namespace in wanted or (OWN in wanted and namespace == owner)

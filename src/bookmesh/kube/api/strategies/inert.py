"""Kinds that are kept and shown, but decide nothing in the lab: whoever writes one is told."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.strategies import base

CODE: Final = "BM0310"


class InertStrategy(base.Strategy):
    """Behaves as any other kind, and says that it does not act."""

    def __init__(self, why: str) -> None:
        """`why` completes "it is kept, but ..."."""
        self._why = why

    def warnings(self, obj: JsonObject) -> tuple[str, ...]:
        return (f"{CODE}: it is kept, but {self._why}",)

"""Secrets: `stringData` is a write-only way to give `data` in plain text."""

from __future__ import annotations

import base64

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.strategies import base


class SecretStrategy(base.Strategy):
    """`stringData` wins over `data`."""

    def prepare_create(self, obj: JsonObject) -> None:
        self._encode(obj)

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        self._encode(obj)

    def _encode(self, obj: JsonObject) -> None:
        plain = obj.pop("stringData", None)
        if plain:
            encoded = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
            obj["data"] = {**(obj.get("data") or {}), **encoded}

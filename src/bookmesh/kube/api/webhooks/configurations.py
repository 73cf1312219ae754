"""The webhooks that are configured, in the order in which they are asked: by configuration's name, then as listed."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import admission_webhooks
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_GROUP: Final = "admissionregistration.k8s.io"
MUTATING: Final = records.GroupResource(_GROUP, "mutatingwebhookconfigurations")
VALIDATING: Final = records.GroupResource(_GROUP, "validatingwebhookconfigurations")


@dataclass(frozen=True, slots=True)
class Webhook:
    """
    One webhook; `source` is its part of the configuration, defaulted and valid.

    `authority` is PEM, "" for what the machine trusts.
    """

    name: str
    source: JsonObject
    conditions: tuple[expression.Expression, ...]
    authority: str

    @property
    def is_ignored_on_failure(self) -> bool:
        return bool(self.source.get("failurePolicy") == "Ignore")

    @property
    def is_reinvoked(self) -> bool:
        return bool(self.source.get("reinvocationPolicy") == "IfNeeded")

    @property
    def timeout_s(self) -> int:
        return int(self.source.get("timeoutSeconds", 10))


class Configurations:
    """Reads one kind of configurations from the store; what was read is kept until one of them changes."""

    def __init__(self, store: stores.Store, resource: records.GroupResource) -> None:
        self._store, self._resource = store, resource
        self._versions: list[int] = []
        self._webhooks: tuple[Webhook, ...] = ()

    def webhooks(self) -> Sequence[Webhook]:
        """Every webhook, in order; may be empty."""
        stored = self._store.list(self._resource)
        versions = [each.version for each in stored]
        if versions != self._versions:
            self._webhooks = tuple(
                parse(source) for each in stored for source in each.object.get("webhooks") or []
            )
            self._versions = versions
        return self._webhooks


def parse(source: JsonObject) -> Webhook:
    """Read one webhook of a valid configuration."""
    conditions = tuple(
        expression.compile_expression(condition["expression"].strip(), admission_webhooks.VARIABLES)
        for condition in source.get("matchConditions") or []
    )
    bundle = (source.get("clientConfig") or {}).get("caBundle") or ""
    return Webhook(source["name"], source, conditions, base64.b64decode(bundle).decode())

"""Runtime classes."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause


def check_class(runtime_class: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a RuntimeClass: its handler is a label, and stays."""
    handler = runtime_class.get("handler") or ""
    if not handler:
        return [causes.required("handler")]
    found = names.check("handler", handler, names.dns_label)
    if old is not None and old.get("handler") != handler:
        found.append(causes.invalid("handler", handler, "field is immutable"))
    return found

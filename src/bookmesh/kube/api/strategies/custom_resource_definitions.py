"""
CustomResourceDefinitions: names accepted (or not), the kind served at once.

A real server has a controller that sets the status a moment later; here the write itself does, so a client never meets
a definition that is stored but not served.
"""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import custom_resources, metadata
from bookmesh.kube.api.strategies import base
from bookmesh.kube.schema import kinds as kinds_module


class DefinitionStrategy(base.Strategy):
    """Reads the served kinds to find name conflicts."""

    def __init__(self, kinds: kinds_module.Kinds, clock: metadata.Clock) -> None:
        self._kinds, self._clock = kinds, clock

    def prepare_create(self, obj: JsonObject) -> None:
        obj["status"] = self._status(obj, {})

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        if obj["spec"] != old["spec"]:
            obj["status"] = self._status(obj, old.get("status") or {})

    def _status(self, obj: JsonObject, before: JsonObject) -> JsonObject:
        spec = obj["spec"]
        conflict = custom_resources.name_conflict(obj, self._kinds.all())
        stored = list(before.get("storedVersions") or [])
        stored += [version["name"] for version in spec["versions"] if version.get("storage")]
        status: JsonObject = {"storedVersions": list(dict.fromkeys(stored))}
        if conflict:
            reason, message = conflict
            conditions = [("NamesAccepted", "False", reason, message)]
            conditions.append(("Established", "False", "NotAccepted", "not all names are accepted"))
            status["acceptedNames"] = {"plural": "", "kind": ""}
        else:
            conditions = [("NamesAccepted", "True", "NoConflicts", "no conflicts found")]
            established = "the initial names have been accepted"
            conditions.append(("Established", "True", "InitialNamesAccepted", established))
            status["acceptedNames"] = spec["names"]
        known = {entry["type"]: entry for entry in before.get("conditions") or []}
        status["conditions"] = [
            self._condition(known.get(kind), kind=kind, status=value, reason=reason, message=message)
            for kind, value, reason, message in conditions
        ]
        return status

    def _condition(
        self, before: JsonObject | None, *, kind: str, status: str, reason: str, message: str
    ) -> JsonObject:
        if before and before["status"] == status:
            since = before["lastTransitionTime"]
        else:
            since = metadata.timestamp(self._clock())
        return {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": since,
        }

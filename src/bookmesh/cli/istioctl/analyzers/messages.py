"""Messages as Istio's analyzers give them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from bookmesh.cli.istioctl.analyzers.objects import JsonObject
from bookmesh.lab import releases

Level = Literal["Error", "Warning", "Info"]
LEVELS: Final[tuple[Level, ...]] = ("Error", "Warning", "Info")
_MINOR: Final = ".".join(releases.ISTIO_TAG.split(".")[:2])
PAGE: Final = f"https://istio.io/v{_MINOR}/docs/reference/config/analysis"
ALL: Final = ""


@dataclass(frozen=True, slots=True)
class Message:
    """
    `origin` is `Kind namespace/name` and `path` the field of it; `namespace` is "" for what belongs to none;
    `reference` is `FILE:LINE` when the object was read from a file.
    """

    level: Level
    code: str
    origin: str
    namespace: str
    text: str
    path: str = ""
    reference: str = ""

    def is_about(self, namespace: str) -> bool:
        return namespace in (ALL, self.namespace)

    def __str__(self) -> str:
        place = f"{self.origin} {self.reference}".rstrip()
        return f"{self.level} [{self.code}] ({place}) {self.text}"

    def as_json(self) -> dict[str, Any]:
        found = {
            "code": self.code,
            "documentationUrl": f"{PAGE}/{self.code.lower()}/?ref=istioctl-analyze",
            "level": self.level,
            "message": self.text,
            "origin": self.origin,
        }
        return {**found, "reference": self.reference} if self.reference else found


def about(found: JsonObject, level: Level, code: str, text: str, path: str = "") -> Message:
    """A message about an object."""
    return Message(level, code, origin_of(found), namespace_of(found), text, path)


def origin_of(found: JsonObject) -> str:
    metadata = found["metadata"]
    namespace = metadata.get("namespace", "")
    return (
        f"{found['kind']} {namespace}/{metadata['name']}"
        if namespace
        else f"{found['kind']} {metadata['name']}"
    )


def namespace_of(found: JsonObject) -> str:
    """A Namespace is in itself."""
    metadata = found["metadata"]
    return str(metadata["name"] if found["kind"] == "Namespace" else metadata.get("namespace", ""))


def listed(values: object) -> str:
    """As Go prints a list."""
    return (
        "[" + " ".join(str(each) for each in values) + "]"
        if isinstance(values, list | tuple)
        else str(values)
    )

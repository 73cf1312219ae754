"""
What people are told when something is wrong: four parts, always in the same order.

    error[BM0203]: VirtualService default/reviews routes to subset "v4", which no DestinationRule defines
      where: reviews.yaml:14  spec.http[0].route[0].destination.subset
      known: v1, v2, v3  (DestinationRule default/reviews)
      hint:  add subset v4, or route to a known one
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
_INDENT = len("  where: ")


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Names one Kubernetes object; `namespace` is "" for cluster-scoped ones."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is a key of `messages.MESSAGES`; `where` is a field path of `subject`."""

    code: str
    message: str
    subject: ObjectRef | None = None
    where: str = ""
    known: str = ""
    hint: str = ""
    severity: Severity = "error"

    def render(self) -> str:
        """Lay the finding out for a terminal, without colour."""
        lines = [f"{self.severity}[{self.code}]: {self.message}"]
        for label, text in (("where", self.where), ("known", self.known), ("hint", self.hint)):
            if text:
                lines.append(f"  {label + ':':<6} " + text.replace("\n", "\n" + " " * _INDENT))
        return "\n".join(lines)


class BookmeshError(Exception):
    """A finding that ends the command. `exit_code`: 1 ran and failed, 2 misuse, 3 this machine cannot."""

    def __init__(self, finding: Finding, *, exit_code: Literal[1, 2, 3] = 1) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.exit_code = exit_code

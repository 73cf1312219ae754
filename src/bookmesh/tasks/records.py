"""What a run leaves behind: frozen records from which every report is made. Times are seconds since the run's begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bookmesh.base.findings import Finding

Outcome = Literal["passed", "failed", "broken"]
"""`broken`: the task itself is wrong, such as an expectation that was true before its step."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and what came back; `error` is set, and status 0, when nothing did."""

    method: str
    url: str
    status: int
    took_s: float
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; of repeated headers the last."""
    body: str = ""
    error: str = ""
    certificate: bytes = b""
    """What the server showed, DER; empty without TLS or from a pod."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one probe saw: exchanges of a request, or a text (output, log, statistics, JSON) and an exit code."""

    exchanges: tuple[Exchange, ...] = ()
    text: str = ""
    exit: int = 0
    value: float | None = None
    made: int = 0
    """How many exchanges there were; the record keeps the first of them."""
    error: str = ""
    """Why the probe could not be made: the object is not there, kubectl failed."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One answer of a split: how often it was seen, and which counts are allowed."""

    name: str
    seen: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check: whether it holds and, in one line, what was expected and seen."""

    holds: bool
    text: str
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One evaluation of an expectation."""

    at_s: float
    took_s: float
    observation: Observation
    verdicts: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """`before` is the negative control, `after` the last attempt; `attempts` counts those after the step."""

    name: str
    probe: str
    outcome: Outcome
    finding: Finding | None
    before: Attempt | None
    after: Attempt | None
    attempts: int

    @property
    def message(self) -> str:
        return self.finding.message if self.finding else ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """
    `detail` is what the action did in full: the YAML applied, the command; `output` what it said. Of `acted_s`, pods
    were waited for during `rolled_out_s`.
    """

    name: str
    action: str
    outcome: Outcome
    finding: Finding | None
    at_s: float
    acted_s: float
    rolled_out_s: float
    took_s: float
    detail: str
    output: str
    expectations: tuple[ExpectationResult, ...]

    @property
    def message(self) -> str:
        return self.finding.message if self.finding else ""


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one task. `findings` say what went wrong, first things first; () when nothing did."""

    key: str
    title: str
    page: str
    summary: str
    file: str
    namespace: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    began_at_s: float
    """Seconds since the begin of the whole verification."""
    took_s: float
    steps: tuple[StepResult, ...]
    prepared_s: float
    cleaned_s: float

    @property
    def message(self) -> str:
        """All that went wrong, in one line; "" when nothing did."""
        return "; ".join(finding.message for finding in self.findings)

    @property
    def checks(self) -> int:
        """How many checks were shown to hold."""
        results = [result for step in self.steps for result in step.expectations]
        return sum(len(result.after.verdicts) for result in results if result.after and result.after.holds)

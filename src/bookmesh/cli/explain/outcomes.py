"""What becomes of a request in the end, for programs: where it goes and how often, or what the proxy answers itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["forwarded", "answered", "closed", "direct"]


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster, how many of 100 requests go there, and the endpoints it may choose from (`address:port`)."""

    cluster: str
    percent: float
    endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the proxy answers itself to so many of 100 requests; `status` is HTTP's, 0 when a connection is closed."""

    status: int
    percent: float
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    `kind`: forwarded (at least some requests reach an endpoint), answered (by the proxy), closed (no HTTP answer at
    all) or direct (the proxy does not see the request). The percentages of targets and answers sum up to 100.
    """

    kind: Kind
    targets: tuple[Target, ...] = ()
    answers: tuple[Answer, ...] = ()
    delay_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "targets": [
                {"cluster": each.cluster, "percent": each.percent, "endpoints": list(each.endpoints)}
                for each in self.targets
            ],
            "answers": [
                {"status": each.status, "percent": each.percent, "why": each.why} for each in self.answers
            ],
            "delaySeconds": self.delay_s,
        }


def closed(why: str) -> Outcome:
    """No answer: the connection is refused or ended."""
    return Outcome("closed", answers=(Answer(0, 100.0, why),))


def answered(status: int, why: str) -> Outcome:
    """The proxy answers every request itself."""
    return Outcome("answered", answers=(Answer(status, 100.0, why),))


def forwarded(targets: Iterable[Target], failures: Iterable[Answer], *, is_http: bool) -> Outcome:
    """Put together what some clusters can take and what fails; without any target nothing is forwarded."""
    took, failed = tuple(targets), tuple(failures)
    kind: Kind = "forwarded" if took else "answered" if is_http else "closed"
    return Outcome(kind, took, failed)


def after_abort(outcome: Outcome, abort: Answer) -> Outcome:
    """Let a fault take its share of the requests before they are forwarded."""
    rest = (100.0 - abort.percent) / 100.0
    if rest <= 0:
        return Outcome("answered", answers=(abort,), delay_s=outcome.delay_s)
    return Outcome(
        outcome.kind,
        tuple(Target(each.cluster, each.percent * rest, each.endpoints) for each in outcome.targets),
        (abort, *(Answer(each.status, each.percent * rest, each.why) for each in outcome.answers)),
        outcome.delay_s,
    )

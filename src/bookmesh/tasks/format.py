"""
The format of task.yaml as structures: what may stand where, and nothing else.

A task is a list of steps; a step acts once and has expectations; an expectation probes once and has checks. What types
cannot say (exactly one action, checks that fit the probe) is in `rules`. Durations are written as Istio writes them.
The reference for people is docs/reference/tasks.md.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

OUTSIDE: Final = "outside"
"""The place of a client that is not in the cluster: it comes through the ingress gateway."""

DEFAULT_WITHIN: Final = "20s"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of the format have in common."""


class Text(_Part, frozen=True):
    """What a text must be like; all that is given must hold. `matches` is a regular expression, searched for."""

    equals: str | None = None
    contains: str | tuple[str, ...] = ()
    lacks: str | tuple[str, ...] = ()
    matches: str | None = None
    json: dict[str, Any] = {}
    """Path into the JSON document (`headers.Host[0]`) -> value."""


class Range(_Part, frozen=True):
    """A duration between bounds; at least one is given."""

    at_least: str | None = None
    at_most: str | None = None


class Count(_Part, frozen=True):
    """How many lines match a regular expression."""

    lines: str
    at_least: int | None = None
    at_most: int | None = None


class By(_Part, frozen=True):
    """What tells one answer from another: a JSON value or a header, cut by `regex`; or a regex over the body."""

    json: str | None = None
    header: str | None = None
    regex: str | None = None


class Split(_Part, frozen=True):
    """
    Who answered how often.

    `weights` are shares (any unit: 50/50 is 1/1); each observed count must lie in the central interval that a binomial
    distribution of n requests has at `confidence`. `at_least` are minimal counts instead, where no share is promised.
    """

    by: By | Literal["status"]
    weights: dict[str, float] = {}
    at_least: dict[str, int] = {}
    confidence: float = 0.999


class Session(_Part, frozen=True):
    """A request made first; its cookies go with the requests that follow: a log-in."""

    url: str
    method: str = "POST"
    body: str = ""


class ClientTls(_Part, frozen=True):
    """
    Whom the client trusts, and what it shows: files beside task.yaml, or what steps of the run make. `ca` may be the
    authority of a secret; `identity` is the name of a secret whose certificate the client shows.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    identity: str | None = None


class Request(_Part, frozen=True):
    """`n` HTTP requests from `outside` or from a Deployment whose container has curl."""

    url: str
    from_: str = msgspec.field(default=OUTSIDE, name="from")
    container: str = ""
    method: str = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    n: int = 1
    concurrency: int = 1
    timeout: str = "15s"
    session: Session | None = None
    tls: ClientTls | None = None


class Exec(_Part, frozen=True):
    """One command in a container, as `kubectl exec` runs it. `of` is what kubectl takes: deploy/curl, pod/x."""

    of: str
    command: tuple[str, ...]
    container: str = ""
    timeout: str = "60s"


class Logs(_Part, frozen=True):
    """
    A container's log, after a request where one is given: it is made before each look, since what an earlier one left
    does not change any more.
    """

    of: str
    container: str = ""
    after: Request | None = None


class Stats(_Part, frozen=True):
    """Envoy's statistics of one proxy whose names match `name`, summed."""

    of: str
    name: str


class Get(_Part, frozen=True):
    """One object, as `kubectl get -o json` prints it; checks see its JSON."""

    of: str


class Certificate(_Part, frozen=True):
    """Facts of the certificate the server showed."""

    san: str | None = None
    sha256: str | None = None


class Expectation(_Part, frozen=True):
    """
    One probe and what must be true of what it sees.

    Before the step it belongs to it must fail (`before: fails`), or hold as well (`before: holds`): either is shown.
    """

    name: str
    request: Request | None = None
    exec: Exec | None = None
    logs: Logs | None = None
    stats: Stats | None = None
    get: Get | None = None
    before: Literal["fails", "holds"] = "fails"
    within: str | None = None

    status: int | None = None
    headers: dict[str, str | Text | None] = {}
    body: Text | None = None
    latency: Range | None = None
    split: Split | None = None
    certificate: Certificate | None = None
    refused: bool | None = None
    """True: no HTTP answer may come."""

    exit: int | tuple[int, ...] | None = None
    """The command's exit code, or all that will do."""

    output: Text | None = None
    count: Count | None = None
    value: dict[Literal["at_least", "at_most"], float] = {}


class Secret(_Part, frozen=True):
    """A certificate for `hosts`, made for this run, as a Secret of type kubernetes.io/tls with its authority's."""

    name: str
    hosts: tuple[str, ...]
    namespace: str = ""
    authority: str = "ca"
    """Who signs it; requests name it in `tls.ca`. Another name is another authority."""


class Wait(_Part, frozen=True):
    """`kubectl wait --for=… NAME…`."""

    for_: str = msgspec.field(name="for")
    of: tuple[str, ...]


class Step(_Part, frozen=True):
    """One action, and what is expected of it within `within`."""

    name: str
    apply: tuple[str | dict[str, Any], ...] | None = None
    """File names beside task.yaml, or whole objects."""
    delete: tuple[str | dict[str, Any], ...] | None = None
    """As `apply`, or KIND/NAME."""
    exec: Exec | None = None
    request: Request | None = None
    wait: Wait | None = None
    secret: Secret | None = None
    within: str = DEFAULT_WITHIN
    expect: tuple[Expectation, ...] = ()


class Elsewhere(_Part, frozen=True):
    """An object outside of the run's namespace, declared because the task makes it; removed at the end."""

    kind: str
    name: str
    namespace: str = ""


class Task(_Part, frozen=True):
    """A task file."""

    id: str
    title: str
    steps: tuple[Step, ...]
    page: str = ""
    summary: str = ""
    needs: tuple[Literal["ingress", "egress", "access-logs", "gateway-api"], ...] = ()
    ingress: str = ""
    """NAMESPACE/NAME of the Service that requests from outside come through, in place of the ingress gateway's."""

    elsewhere: tuple[Elsewhere, ...] = ()
    exclusive: tuple[str, ...] = ()
    """
    What no other task may use at the same time: tasks that name the same thing run one after the other, and one that
    names `mesh` runs alone.
    """


ACTIONS: Final = ("apply", "delete", "exec", "request", "wait", "secret")
PROBES: Final = ("request", "exec", "logs", "stats", "get")
CHECKS: Final = {
    "request": ("status", "headers", "body", "latency", "split", "certificate", "refused"),
    "exec": ("exit", "output", "count"),
    "logs": ("output", "count"),
    "stats": ("value",),
    "get": ("output",),
}
"""Which checks fit which probe."""


def field_names() -> set[str]:
    """All names that fields have, in whatever part of the format."""
    return {each.encode_name for part in _Part.__subclasses__() for each in msgspec.structs.fields(part)}


def action_of(step: Step) -> str:
    """Name the step's action; `rules` has made sure that there is one."""
    return next(name for name in ACTIONS if getattr(step, name) is not None)


def probe_of(expectation: Expectation) -> str:
    """Name the expectation's probe; `rules` has made sure that there is one."""
    return next(name for name in PROBES if getattr(expectation, name) is not None)

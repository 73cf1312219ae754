"""What the types of a task cannot say: exactly one action, checks that fit, expressions and durations that parse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bookmesh.base import durations
from bookmesh.tasks import format as formats

_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Problem(NamedTuple):
    """One thing wrong in a file; `path` is a field path such as `steps[2].expect[0].status`."""

    path: str
    message: str
    hint: str = ""


def check_task(task: formats.Task, directory: Path) -> Iterator[Problem]:
    """Yield what is wrong; files are looked for beside the task."""
    if not _ID.fullmatch(task.id):
        yield Problem("id", f'"{task.id}" is not lower-case letters, digits and inner dashes')
    if not task.steps:
        yield Problem("steps", "a task needs at least one step")
    names = [step.name for step in task.steps]
    for index, step in enumerate(task.steps):
        path = f"steps[{index}]"
        if step.name in names[:index]:
            yield Problem(f"{path}.name", f'there are two steps named "{step.name}"')
        yield from _check_step(step, path, directory)
    yield from _check_authorities(task, directory)
    if not any(step.expect for step in task.steps):
        yield Problem("steps", "a task without any expectation shows nothing")


def _check_step(step: formats.Step, path: str, directory: Path) -> Iterator[Problem]:
    actions = [name for name in formats.ACTIONS if getattr(step, name) is not None]
    if len(actions) != 1:
        found = " and ".join(actions) or "none"
        yield Problem(path, f"a step has exactly one of {', '.join(formats.ACTIONS)}; found {found}")
    for name in ("apply", "delete"):
        for index, entry in enumerate(getattr(step, name) or ()):
            yield from _check_entry(entry, f"{path}.{name}[{index}]", directory, kind_names=name == "delete")
    yield from _check_duration(step.within, f"{path}.within")
    if step.request:
        yield from _check_request(step.request, f"{path}.request", directory)
    for index, expectation in enumerate(step.expect):
        yield from _check_expectation(expectation, f"{path}.expect[{index}]", directory)


def _check_authorities(task: formats.Task, directory: Path) -> Iterator[Problem]:
    """A request trusts a file, or an authority that a step makes, and shows what a step makes."""
    made = {step.secret.authority for step in task.steps if step.secret}
    secrets = {step.secret.name for step in task.steps if step.secret}
    for index, step in enumerate(task.steps):
        path = f"steps[{index}]"
        if step.secret is not None and not step.secret.hosts:
            yield Problem(f"{path}.secret.hosts", "a certificate is for at least one host")
        requests = [(step.request, f"{path}.request")]
        for number, each in enumerate(step.expect):
            requests += list(_requests_of(each, f"{path}.expect[{number}]"))
        for request, place in requests:
            ca = request.tls.ca if request and request.tls else None
            if ca and ca not in made and not (directory / ca).is_file():
                yield Problem(f"{place}.tls.ca", f'there is neither a file nor a secret\'s authority "{ca}"')
            shown = request.tls.identity if request and request.tls else None
            if shown and shown not in secrets:
                yield Problem(f"{place}.tls.identity", f'no step makes a secret "{shown}"')


def _check_entry(
    entry: str | dict[str, Any], path: str, directory: Path, *, kind_names: bool
) -> Iterator[Problem]:
    if isinstance(entry, dict):
        if not all(isinstance(entry.get(field), str) for field in ("apiVersion", "kind")):
            yield Problem(path, "an object needs apiVersion and kind")
    elif not (directory / entry).is_file() and not (kind_names and _is_object_name(entry)):
        yield Problem(path, f'there is no file "{entry}" beside the task')


def _is_object_name(entry: str) -> bool:
    """Tell KIND/NAME, as kubectl takes it, from a file."""
    return entry.count("/") == 1 and not entry.endswith((".yaml", ".yml", ".json"))


def _check_expectation(expectation: formats.Expectation, path: str, directory: Path) -> Iterator[Problem]:
    probes = [name for name in formats.PROBES if getattr(expectation, name) is not None]
    if len(probes) != 1:
        found = " and ".join(probes) or "none"
        yield Problem(path, f"an expectation has exactly one of {', '.join(formats.PROBES)}; found {found}")
        return
    fitting = formats.CHECKS[probes[0]]
    given = [name for names in formats.CHECKS.values() for name in names if _is_given(expectation, name)]
    for name in sorted(set(given) - set(fitting)):
        yield Problem(f"{path}.{name}", f"does not go with {probes[0]}; it takes {', '.join(fitting)}")
    if not set(given) & set(fitting):
        yield Problem(path, f"nothing is checked; {probes[0]} takes {', '.join(fitting)}")
    if expectation.refused and set(given) != {"refused"}:
        yield Problem(f"{path}.refused", "when no answer may come there is nothing else to check")
    if expectation.within is not None:
        yield from _check_duration(expectation.within, f"{path}.within")
    for request, place in _requests_of(expectation, path):
        yield from _check_request(request, place, directory)
    for pattern, place in _patterns(expectation):
        yield from _check_pattern(pattern, f"{path}.{place}")
    if expectation.latency:
        for name in ("at_least", "at_most"):
            if (bound := getattr(expectation.latency, name)) is not None:
                yield from _check_duration(bound, f"{path}.latency.{name}")
    if expectation.split:
        yield from _check_split(expectation, expectation.split, f"{path}.split")


def _is_given(expectation: formats.Expectation, name: str) -> bool:
    return getattr(expectation, name) not in (None, {}, ())


def _patterns(expectation: formats.Expectation) -> Iterator[tuple[str | None, str]]:
    texts = {"body": expectation.body, "output": expectation.output}
    texts |= {f"headers.{n}": t for n, t in expectation.headers.items() if isinstance(t, formats.Text)}
    for name, text in texts.items():
        if text:
            yield text.matches, f"{name}.matches"
    if expectation.count:
        yield expectation.count.lines, "count.lines"
    if expectation.stats:
        yield expectation.stats.name, "stats.name"
    if expectation.split and isinstance(expectation.split.by, formats.By):
        yield expectation.split.by.regex, "split.by.regex"


def _check_split(expectation: formats.Expectation, split: formats.Split, path: str) -> Iterator[Problem]:
    if bool(split.weights) == bool(split.at_least):
        yield Problem(path, "a split has exactly one of weights and at_least")
    if split.weights and (min(split.weights.values()) < 0 or sum(split.weights.values()) <= 0):
        yield Problem(f"{path}.weights", "weights are not negative, and not all zero")
    if not 0.5 <= split.confidence < 1:
        yield Problem(f"{path}.confidence", f"{split.confidence} is not in [0.5, 1)")
    if isinstance(split.by, formats.By):
        sources = [source for source in (split.by.json, split.by.header) if source is not None]
        if len(sources) > 1 or not (sources or split.by.regex):
            yield Problem(
                f"{path}.by", "an answer is told by one of json and header, or by regex over the body"
            )
    if expectation.request and expectation.request.n < 2:
        yield Problem(path, "a split needs a request with n of 2 or more")


def _requests_of(expectation: formats.Expectation, path: str) -> Iterator[tuple[formats.Request, str]]:
    """The request that is looked at, or made before a look at a log, each with its place."""
    if expectation.request:
        yield expectation.request, f"{path}.request"
    if expectation.logs and expectation.logs.after:
        yield expectation.logs.after, f"{path}.logs.after"


def _check_request(request: formats.Request, path: str, directory: Path) -> Iterator[Problem]:
    is_outside = request.from_ == formats.OUTSIDE
    if not request.url.startswith(("http://", "https://", "tcp://")):
        yield Problem(f"{path}.url", f'"{request.url}" does not start with http://, https:// or tcp://')
    if request.url.startswith("tcp://"):
        if not is_outside:
            yield Problem(f"{path}.url", "tcp:// is for requests from outside; a pod's client has exec")
        elif not re.fullmatch(r"tcp://[^/:]+:\d+", request.url):
            yield Problem(f"{path}.url", "a tcp address is tcp://NAME:PORT")
    yield from _check_duration(request.timeout, f"{path}.timeout")
    for name in ("n", "concurrency"):
        if getattr(request, name) < 1:
            yield Problem(f"{path}.{name}", "is less than 1")
    if not is_outside:
        for name in ("session", "tls"):
            if getattr(request, name) is not None:
                yield Problem(f"{path}.{name}", "is for requests from outside; a pod's client has exec")
    for name in ("certificate", "key"):
        file = getattr(request.tls, name) if request.tls else None
        if file and not (directory / file).is_file():
            yield Problem(f"{path}.tls.{name}", f'there is no file "{file}" beside the task')


def _check_duration(text: str, path: str) -> Iterator[Problem]:
    try:
        durations.parse_duration_s(text)
    except ValueError as error:
        yield Problem(path, str(error))


def _check_pattern(pattern: str | None, path: str) -> Iterator[Problem]:
    try:
        re.compile(pattern or "")
    except re.error as error:
        yield Problem(path, f"is not a regular expression: {error}")

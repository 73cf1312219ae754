"""Checks: an expectation and what its probe saw, to verdicts. Pure."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from bookmesh.base import durations
from bookmesh.tasks import format as formats
from bookmesh.tasks import splits
from bookmesh.tasks.records import Bar, Exchange, Observation, Verdict

_SHOWN = 160
_MISSING: Any = object()


def check(expectation: formats.Expectation, observation: Observation) -> tuple[Verdict, ...]:
    """
    Judge what a probe saw.

    Returns:
        At least one verdict, in the order of the format; of n requests the first that differs is told.
    """
    if observation.error:
        return (Verdict(False, observation.error),)
    if expectation.request:
        return tuple(_check_exchanges(expectation, observation.exchanges))
    return tuple(_check_text(expectation, observation))


def _check_exchanges(expectation: formats.Expectation, exchanges: tuple[Exchange, ...]) -> Iterator[Verdict]:
    failures = [exchange.error for exchange in exchanges if exchange.error]
    if expectation.refused is not None:
        refused = len(failures) == len(exchanges)
        seen = failures[0] if failures else f"status {exchanges[0].status}"
        yield Verdict(refused == expectation.refused, f"refused is {expectation.refused}: {seen}")
        return
    if failures:
        yield Verdict(False, f"{len(failures)} of {len(exchanges)} requests got no answer: {failures[0]}")
        return
    if expectation.status is not None:
        yield _first(_check_status(expectation.status, each) for each in exchanges)
    for name, wanted in expectation.headers.items():
        yield from _firsts([list(_check_header(name, wanted, each)) for each in exchanges])
    if expectation.body:
        yield from _firsts([list(_compare(expectation.body, each.body, "body")) for each in exchanges])
    if expectation.latency:
        yield _check_latency(expectation.latency, exchanges)
    if expectation.certificate:
        yield from _check_certificate(expectation.certificate, exchanges[0].certificate)
    if expectation.split:
        yield check_split(expectation.split, exchanges)


def _check_text(expectation: formats.Expectation, observation: Observation) -> Iterator[Verdict]:
    if expectation.exit is not None:
        seen = (
            f"{observation.exit}"
            if not observation.exit
            else f"{observation.exit}: {observation.text[:_SHOWN]}"
        )
        wanted = expectation.exit if isinstance(expectation.exit, tuple) else (expectation.exit,)
        yield Verdict(observation.exit in wanted, f"exit code {' or '.join(map(str, wanted))}: got {seen}")
    if expectation.output:
        yield from _compare(expectation.output, observation.text, "output")
    if expectation.count:
        count = expectation.count
        pattern = re.compile(count.lines)
        seen_lines = sum(1 for line in observation.text.splitlines() if pattern.search(line))
        yield _bounded(f"lines that match {count.lines}", seen_lines, count.at_least, count.at_most)
    if expectation.value:
        name = f"statistic {expectation.stats.name}" if expectation.stats else "value"
        value, limits = observation.value, expectation.value
        yield _bounded(
            name,
            value or 0.0,
            limits.get("at_least"),
            limits.get("at_most"),
            remark=" (no statistic of that name was counted yet)" if value is None else "",
        )


def _check_status(wanted: int, exchange: Exchange) -> Verdict:
    if exchange.status == wanted:
        return Verdict(True, f"status {wanted}")
    return Verdict(False, f"status {wanted}: got {exchange.status} {_shorten(exchange.body)}".rstrip())


def _check_header(name: str, wanted: str | formats.Text | None, exchange: Exchange) -> Iterator[Verdict]:
    seen = exchange.headers.get(name.lower())
    if wanted is None:
        yield Verdict(seen is None, f"no header {name}" + (f": got {seen}" if seen is not None else ""))
    elif seen is None:
        yield Verdict(False, f"header {name}: there is none")
    else:
        text = formats.Text(equals=wanted) if isinstance(wanted, str) else wanted
        yield from _compare(text, seen, f"header {name}")


def _compare(wanted: formats.Text, seen: str, what: str) -> Iterator[Verdict]:
    if wanted.equals is not None:
        yield _told(seen == wanted.equals, f'{what} is "{_shorten(wanted.equals)}"', seen)
    for part in _listed(wanted.contains):
        yield _told(part in seen, f'{what} contains "{part}"', seen)
    for part in _listed(wanted.lacks):
        yield _told(part not in seen, f'{what} lacks "{part}"', seen)
    if wanted.matches is not None:
        yield _told(re.search(wanted.matches, seen) is not None, f"{what} matches {wanted.matches}", seen)
    if wanted.json:
        try:
            document = json.loads(seen)
        except ValueError:
            yield _told(False, f"{what} is JSON", seen)
            return
        for path, value in wanted.json.items():
            found = json_at(document, path)
            shown = "nothing" if found is _MISSING else json.dumps(found)
            yield _told(found == value, f"{what} has {path} = {json.dumps(value)}", shown)


def _check_latency(wanted: formats.Range, exchanges: tuple[Exchange, ...]) -> Verdict:
    fastest, slowest = min(each.took_s for each in exchanges), max(each.took_s for each in exchanges)
    low_s = durations.parse_duration_s(wanted.at_least) if wanted.at_least else 0.0
    high_s = durations.parse_duration_s(wanted.at_most) if wanted.at_most else float("inf")
    limits = [f"at least {wanted.at_least}"] if wanted.at_least else []
    limits += [f"at most {wanted.at_most}"] if wanted.at_most else []
    seen = f"{fastest:.3f} s" if len(exchanges) == 1 else f"{fastest:.3f} to {slowest:.3f} s"
    return Verdict(low_s <= fastest and slowest <= high_s, f"takes {' and '.join(limits)}: took {seen}")


def _check_certificate(wanted: formats.Certificate, der: bytes) -> Iterator[Verdict]:
    if not der:
        yield Verdict(False, "the server showed no certificate")
        return
    certificate = x509.load_der_x509_certificate(der)
    if wanted.sha256 is not None:
        seen = certificate.fingerprint(hashes.SHA256()).hex()
        yield _told(
            seen == wanted.sha256.replace(":", "").lower(), f"certificate sha256 {wanted.sha256}", seen
        )
    if wanted.san is not None:
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            names = x509.SubjectAlternativeName([])
        seen_names = [str(name.value) for name in names]
        yield _told(wanted.san in seen_names, f"certificate is for {wanted.san}", ", ".join(seen_names))


class _Group(NamedTuple):
    low: int
    high: int
    shown: str


def check_split(split: formats.Split, exchanges: tuple[Exchange, ...]) -> Verdict:
    """Count who answered and compare with the bounds; an answer nobody asked for is a failure."""
    n = len(exchanges)
    seen = collections.Counter(answerer(split.by, each) for each in exchanges)
    if split.weights:
        bounds = splits.bounds_for_weights(split.weights, n, confidence=split.confidence)
        groups = {name: _Group(b.low, b.high, _range(b)) for name, b in bounds.items()}
    else:
        groups = {name: _Group(least, n, f"≥ {least}") for name, least in split.at_least.items()}
    unexpected = {name: count for name, count in seen.items() if name not in groups}
    holds = not unexpected and all(group.low <= seen[name] <= group.high for name, group in groups.items())
    parts = [f"{name} {seen[name]} (allowed {group.shown})" for name, group in groups.items()]
    parts += [f"{name} {count} (not expected)" for name, count in unexpected.items()]
    bars = [Bar(name, seen[name], group.low, group.high) for name, group in groups.items()]
    bars += [Bar(name, count, 0, 0) for name, count in unexpected.items()]
    is_certain = all(group.low == group.high for group in groups.values())
    chance = (
        "" if is_certain or not split.weights else f", confidence {split.confidence:g}, seed: the proxy's own"
    )
    return Verdict(holds, f"{', '.join(parts)}; n = {n}{chance}", tuple(bars))


def _range(bounds: splits.Bounds) -> str:
    return str(bounds.low) if bounds.low == bounds.high else f"{bounds.low}…{bounds.high}"


def answerer(by: formats.By | str, exchange: Exchange) -> str:
    """Tell who answered: the first group of the regex, else all that it matched, else the whole value."""
    if isinstance(by, str):
        return str(exchange.status)
    source = exchange.body
    if by.header is not None:
        source = exchange.headers.get(by.header.lower(), "")
    elif by.json is not None:
        try:
            found = json_at(json.loads(exchange.body), by.json)
        except ValueError:
            found = _MISSING
        source = "" if found is _MISSING else str(found)
    if by.regex is not None:
        match = re.search(by.regex, source)
        source = "" if match is None else (match[1] if match.re.groups else match[0]) or ""
    return source or f"status {exchange.status}, not told"


def json_at(document: Any, path: str) -> Any:
    """Follow `a.b[0].c` into a JSON value; `["a.b"]` is a key with dots. Where it leads nowhere: a mark."""
    for quoted, index, name in re.findall(r'\["([^"]*)"\]|\[(\d+)\]|([^.\[\]]+)', path):
        try:
            document = document[int(index)] if index else document[quoted or name]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return document


def _bounded(what: str, seen: float, least: float | None, most: float | None, *, remark: str = "") -> Verdict:
    limits = [f"at least {least:g}"] if least is not None else []
    limits += [f"at most {most:g}"] if most is not None else []
    holds = (least is None or seen >= least) and (most is None or seen <= most)
    return Verdict(holds, f"{what}: {' and '.join(limits)}, got {seen:g}{remark}")


def _told(holds: bool, wanted: str, seen: str) -> Verdict:
    return Verdict(holds, wanted if holds else f"{wanted}: got {_shorten(seen) or 'nothing'}")


def _first(verdicts: Iterator[Verdict]) -> Verdict:
    """The first that fails, else the first."""
    listed = list(verdicts)
    return next((verdict for verdict in listed if not verdict.holds), listed[0])


def _firsts(rows: list[list[Verdict]]) -> Iterator[Verdict]:
    """The same for several checks of each exchange; a row that ended early counts as its last verdict."""
    for column in range(max(len(row) for row in rows)):
        yield _first(iter([row[min(column, len(row) - 1)] for row in rows]))


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else f"{flat[:_SHOWN]}…"

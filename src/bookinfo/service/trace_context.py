"""
Where a request stands in its trace, read from and written to headers: W3C Trace Context, B3 single, B3 multi.

Needed only where this process makes spans of its own (see `tracing`). Passing headers on unchanged is `headers`.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final

from bookinfo.service import headers

TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
B3_SINGLE: Final = re.compile(r"([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?")
B3_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}")
B3_SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")

NAMES: Final = frozenset(
    {b"traceparent", b"tracestate", b"b3", b"x-b3-traceid", b"x-b3-spanid", b"x-b3-sampled", b"x-b3-flags"}
)


@dataclass(frozen=True, slots=True)
class Parent:
    """The span that a request was sent from. Ids are not zero; `state` is the tracestate header, or empty."""

    trace_id: int
    span_id: int
    is_sampled: bool
    state: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What the headers of a request say."""

    parent: Parent | None
    is_declined: bool = False
    """Nobody has begun a trace, and whoever sent the request asks not to."""


def parse(raw: headers.RawHeaders) -> Incoming:
    """Read the parent of a request: W3C's header first, then B3's single, then B3's multi headers."""
    found: dict[str, str] = {}
    for name, value in raw:
        if name in NAMES:
            found.setdefault(name.decode("ascii"), value.decode("latin-1").strip())
    parent = _parse_w3c(found) or _parse_b3_single(found) or _parse_b3_multi(found)
    is_declined = parent is None and "0" in {found.get("b3"), found.get("x-b3-sampled")}
    return Incoming(parent, is_declined)


def write(outgoing: MutableMapping[str, str], span: Parent, *, caller_span_id: int) -> None:
    """
    Make `outgoing`, the headers of a call, name `span` as the parent of whatever the call leads to.

    W3C's header is always written; B3's in the forms that are there already, so that a mesh that reads those joins in.

    Args:
        caller_span_id: the span above `span`, which B3 passes on as well.
    """
    trace_id, span_id = f"{span.trace_id:032x}", f"{span.span_id:016x}"
    sampled = "1" if span.is_sampled else "0"
    outgoing["traceparent"] = f"00-{trace_id}-{span_id}-0{sampled}"
    short_id = trace_id.removeprefix("0" * 16)
    if "b3" in outgoing:
        outgoing["b3"] = f"{short_id}-{span_id}-{sampled}-{caller_span_id:016x}"
    if "x-b3-traceid" in outgoing:
        outgoing["x-b3-traceid"] = short_id
        outgoing["x-b3-spanid"] = span_id
        outgoing["x-b3-parentspanid"] = f"{caller_span_id:016x}"
        outgoing["x-b3-sampled"] = sampled


def _parse_w3c(found: dict[str, str]) -> Parent | None:
    match = TRACEPARENT.fullmatch(found.get("traceparent", ""))
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    is_sampled = bool(int(match[4], 16) & 1)
    return _parent(match[2], match[3], is_sampled=is_sampled, state=found.get("tracestate", ""))


def _parse_b3_single(found: dict[str, str]) -> Parent | None:
    match = B3_SINGLE.fullmatch(found.get("b3", "").lower())
    # Without a decision, the decision is ours: record.
    return _parent(match[1], match[2], is_sampled=match[3] != "0") if match else None


def _parse_b3_multi(found: dict[str, str]) -> Parent | None:
    trace_id, span_id = found.get("x-b3-traceid", "").lower(), found.get("x-b3-spanid", "").lower()
    if not B3_TRACE_ID.fullmatch(trace_id) or not B3_SPAN_ID.fullmatch(span_id):
        return None
    is_sampled = found.get("x-b3-flags") == "1" or found.get("x-b3-sampled") not in {"0", "false"}
    return _parent(trace_id, span_id, is_sampled=is_sampled)


def _parent(trace_id: str, span_id: str, *, is_sampled: bool, state: str = "") -> Parent | None:
    trace, span = int(trace_id, 16), int(span_id, 16)
    return Parent(trace, span, is_sampled, state) if trace and span else None

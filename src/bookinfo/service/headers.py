"""
Which request headers a service passes on to the services it calls.

A mesh can only join the spans of one request into a trace, and route by user, when every application copies these
headers from the request it serves to the requests it makes. This is the one place that knows the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Headers as they were received: lower-case names, repeated names possible, in order of arrival."""

END_USER: Final = "end-user"

PROPAGATED: Final = frozenset(
    {
        # Envoy's own: ties access logs together and decides sampling.
        b"x-request-id",
        # W3C Trace Context and Baggage.
        b"traceparent",
        b"tracestate",
        b"baggage",
        # B3, as one header and as several.
        b"b3",
        b"x-b3-traceid",
        b"x-b3-spanid",
        b"x-b3-parentspanid",
        b"x-b3-sampled",
        b"x-b3-flags",
        # Vendors: Lightstep, Google Cloud, OpenCensus, SkyWalking, Datadog.
        b"x-ot-span-context",
        b"x-cloud-trace-context",
        b"grpc-trace-bin",
        b"sw8",
        b"x-datadog-trace-id",
        b"x-datadog-parent-id",
        b"x-datadog-sampling-priority",
        b"x-datadog-origin",
        b"x-datadog-tags",
        # Who asks: routing by user and authorization policies look at these.
        END_USER.encode(),
        b"user-agent",
        b"cookie",
        b"authorization",
        b"jwt",
    }
)

JOINED: Final = {b"cookie": "; ", b"tracestate": ",", b"baggage": ","}
"""Headers that may arrive in several lines, and what joins them; of any other the first line counts."""


TRACE_FORMS: Final = (
    (b"traceparent", re.compile(rb"[^-]*-([0-9a-fA-F]{32})-[^-]*-.*")),
    (b"b3", re.compile(rb"([0-9a-fA-F]{32}|[0-9a-fA-F]{16})(?:-.*)?")),
    (b"x-b3-traceid", re.compile(rb"([0-9a-fA-F]{32}|[0-9a-fA-F]{16})")),
)
"""Headers that name a trace, and where in them its id is; the first that is there and has one counts."""


def propagated_headers(incoming: RawHeaders) -> dict[str, str]:
    """
    Return the headers to send along with a call made on behalf of this request.

    A value that is not UTF-8 is left out: it could not be passed on byte for byte.
    """
    outgoing: dict[str, str] = {}
    for name, raw in incoming:
        if name not in PROPAGATED:
            continue
        try:
            key, value = name.decode("ascii"), raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if key not in outgoing:
            outgoing[key] = value
        elif name in JOINED:
            outgoing[key] += JOINED[name] + value
    return outgoing


def propagated_headers_at_edge(incoming: RawHeaders, *, user: str | None) -> dict[str, str]:
    """
    Like `propagated_headers`, for the service that browsers talk to: only a session says who the user is.

    Args:
        user: the name in a session whose signature was checked; None if nobody is logged in. An `end-user` header
            that came from outside is never passed on, otherwise anybody could claim to be anyone.
    """
    outgoing = propagated_headers(incoming)
    outgoing.pop(END_USER, None)
    if user is not None:
        outgoing[END_USER] = user
    return outgoing


def trace_id(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the id of the trace that a request belongs to: W3C's first, then B3's single, then B3's multi header."""
    for name, form in TRACE_FORMS:
        value = fields.get(name)
        if value is not None:
            match = form.fullmatch(value)
            if match is not None:
                return match[1].decode("ascii")
    return None

from __future__ import annotations

import pytest

from bookinfo.service import headers

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

EXPECTED = [
    "x-request-id",
    *("traceparent", "tracestate", "baggage"),
    *("b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"),
    *("x-ot-span-context", "x-cloud-trace-context", "grpc-trace-bin", "sw8"),
    *("x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority"),
    *("end-user", "user-agent", "cookie", "authorization", "jwt"),
]


@pytest.mark.parametrize("name", EXPECTED)
def test_header_is_propagated(name: str) -> None:
    assert headers.propagated_headers([(name.encode(), b"value")]) == {name: "value"}


@pytest.mark.parametrize(
    "name", ["host", "content-length", "connection", "transfer-encoding", "accept", "x-forwarded-for"]
)
def test_header_of_the_connection_is_not_propagated(name: str) -> None:
    assert headers.propagated_headers([(name.encode(), b"value")]) == {}


def test_lists_in_several_lines_are_joined_and_others_keep_the_first() -> None:
    incoming = [
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"tracestate", b"x=1"),
        (b"tracestate", b"y=2"),
        (b"traceparent", b"first"),
        (b"traceparent", b"second"),
    ]
    assert headers.propagated_headers(incoming) == {
        "cookie": "a=1; b=2",
        "tracestate": "x=1,y=2",
        "traceparent": "first",
    }


def test_value_that_is_not_utf8_is_left_out() -> None:
    assert headers.propagated_headers([(b"end-user", b"\xff"), (b"jwt", "ü".encode())]) == {"jwt": "ü"}


def test_edge_takes_the_user_from_the_session_only() -> None:
    claimed = [(b"end-user", b"root"), (b"x-request-id", b"1")]
    assert headers.propagated_headers_at_edge(claimed, user=None) == {"x-request-id": "1"}
    assert headers.propagated_headers_at_edge(claimed, user="jason") == {
        "x-request-id": "1",
        "end-user": "jason",
    }


@pytest.mark.parametrize(
    ("incoming", "expected"),
    [
        ([(b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())], TRACE),
        ([(b"b3", f"{TRACE}-00f067aa0ba902b7-1".encode())], TRACE),
        ([(b"x-b3-traceid", b"00f067aa0ba902b7")], "00f067aa0ba902b7"),
        ([(b"b3", b"0")], None),
        ([(b"traceparent", b"00-not hexadecimal at all, but 32 ch-00f067aa0ba902b7-01")], None),
        ([], None),
    ],
)
def test_trace_id_is_found_in_each_format(incoming: list[tuple[bytes, bytes]], expected: str | None) -> None:
    assert headers.trace_id(dict(incoming)) == expected

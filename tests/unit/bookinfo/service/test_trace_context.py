from __future__ import annotations

import pytest

from bookinfo.service import trace_context

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = trace_context.Parent(int(TRACE, 16), int(SPAN, 16), is_sampled=True)


def parse(**headers: str) -> trace_context.Incoming:
    return trace_context.parse(
        (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE}-{SPAN}-01"},
        {"traceparent": f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"},
        {"b3": f"{TRACE}-{SPAN}-1"},
        {"b3": f"{TRACE}-{SPAN}-d-0000000000000001"},
        {"b3": f"{TRACE}-{SPAN}"},
        {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN, "x_b3_sampled": "1"},
        {"x_b3_traceid": TRACE.upper(), "x_b3_spanid": SPAN},
        {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN, "x_b3_sampled": "0", "x_b3_flags": "1"},
        {"traceparent": "broken", "b3": f"{TRACE}-{SPAN}-1"},
    ],
)
def test_the_parent_is_read_from_each_format(headers: dict[str, str]) -> None:
    assert parse(**headers) == trace_context.Incoming(PARENT)


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE}-{SPAN}-00"},
        {"b3": f"{TRACE}-{SPAN}-0"},
        {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN, "x_b3_sampled": "0"},
        {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN, "x_b3_sampled": "false"},
    ],
)
def test_a_decision_against_is_kept(headers: dict[str, str]) -> None:
    parent = parse(**headers).parent
    assert parent is not None
    assert not parent.is_sampled


def test_w3c_goes_before_b3_and_keeps_its_state() -> None:
    parent = parse(traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="a=b", b3=f"{SPAN}-{SPAN}-1").parent
    assert parent == trace_context.Parent(PARENT.trace_id, PARENT.span_id, is_sampled=True, state="a=b")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": f"ff-{TRACE}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{SPAN}-01-more"},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
        {"traceparent": f"00-{TRACE.upper()}-{SPAN}-01"},
        {"x_b3_traceid": TRACE},
        {"b3": "é"},
    ],
)
def test_without_a_usable_parent_there_is_none(headers: dict[str, str]) -> None:
    assert parse(**headers) == trace_context.Incoming(None)


@pytest.mark.parametrize("headers", [{"b3": "0"}, {"x_b3_sampled": "0"}])
def test_the_wish_not_to_be_traced_is_known(headers: dict[str, str]) -> None:
    assert parse(**headers) == trace_context.Incoming(None, is_declined=True)


def test_a_call_names_the_span_in_every_format_that_came_in() -> None:
    outgoing = {"b3": "old", "x-b3-traceid": "old", "x-b3-spanid": "old", "sw8": "kept"}
    trace_context.write(outgoing, PARENT, caller_span_id=1)
    assert outgoing == {
        "traceparent": f"00-{TRACE}-{SPAN}-01",
        "b3": f"{TRACE}-{SPAN}-1-0000000000000001",
        "x-b3-traceid": TRACE,
        "x-b3-spanid": SPAN,
        "x-b3-parentspanid": "0000000000000001",
        "x-b3-sampled": "1",
        "sw8": "kept",
    }


def test_a_short_trace_id_stays_short_for_b3() -> None:
    outgoing = {"x-b3-traceid": SPAN}
    trace_context.write(outgoing, trace_context.Parent(0x1F, 2, is_sampled=False), caller_span_id=1)
    assert outgoing["x-b3-traceid"] == "000000000000001f"
    assert outgoing["traceparent"] == f"00-{'0' * 30}1f-{2:016x}-00"
    assert "b3" not in outgoing

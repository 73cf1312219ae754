"""Constructors for well-known protobuf types."""

from __future__ import annotations

import pytest

from bookmesh.mesh.wire import core, messages


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, (0, 0)), (7, (7, 0)), (0.25, (0, 250_000_000)), (1.1, (1, 100_000_000)), (1e15, (9223372035, 0))],
)
def test_duration_splits_seconds_and_nanoseconds(seconds: float, expected: tuple[int, int]) -> None:
    built = messages.duration(seconds)
    assert (built.seconds, built.nanos) == expected


def test_packed_message_keeps_type_and_content() -> None:
    address = core.SocketAddress(address="10.0.0.1", port_value=80)
    packed = messages.pack(address)
    assert packed.type_url == "type.googleapis.com/envoy.config.core.v3.SocketAddress"
    assert core.SocketAddress.FromString(packed.value) == address


def test_packing_is_deterministic_whatever_the_order_of_a_map() -> None:
    one = core.Metadata(filter_metadata={key: messages.struct({key: "x"}) for key in "abc"})
    other = core.Metadata(filter_metadata={key: messages.struct({key: "x"}) for key in "cba"})
    assert messages.pack(one).value == messages.pack(other).value


def test_wrapped_zero_is_present() -> None:
    assert messages.uint32(0).value == 0
    assert messages.boolean(False).value is False

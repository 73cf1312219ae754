"""Encoding of netlink attributes, and the kernel's reasons."""

from __future__ import annotations

import struct

from bookmesh.kube.sandbox import netlink


def test_an_attribute_is_padded_and_its_length_is_not() -> None:
    assert netlink.attribute(3, b"abcde") == struct.pack("=HH", 9, 3) + b"abcde\0\0\0"


def test_text_ends_with_a_zero_byte() -> None:
    assert netlink.string(1, "lo") == struct.pack("=HH", 7, 1) + b"lo\0\0"


def test_numbers_have_the_byte_order_asked_for() -> None:
    assert netlink.be32(1, 0x01020304)[4:] == b"\1\2\3\4"
    assert netlink.be32(1, -100)[4:] == struct.pack(">i", -100)
    assert netlink.u32(1, 7)[4:] == struct.pack("=I", 7)


def test_nested_attributes_are_marked_as_such() -> None:
    inner = netlink.be32(1, 5)
    assert netlink.nested(2, inner, inner) == struct.pack("=HH", 20, 2 | 0x8000) + inner + inner

"""Protobuf's wire format, as far as messages are joined from parts that were serialized before."""

from __future__ import annotations


def length_delimited(number: int, value: bytes) -> bytes:
    """A field with a number below 16 that holds a text, bytes or a message."""
    return bytes((number << 3 | 2,)) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

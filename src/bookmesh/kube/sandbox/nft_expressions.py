"""
What rules of nf_tables are made of, as the kernel wants it: steps that load registers, compare them, or act.

A condition loads register 1 and compares it; a rule goes on while comparisons hold. A statement that needs an address
or a port takes them from registers 1 and 2. Numbers of keys, operators and attributes are those of
`linux/netfilter/nf_tables.h`.
"""

from __future__ import annotations

import struct
from typing import Final

from bookmesh.kube.sandbox.netlink import attribute, be32, nested, string

FAMILY_IP: Final = 2
MARK, IN_INTERFACE, OUT_INTERFACE, PROTOCOL = 3, 4, 5, 16
EQUAL, NOT_EQUAL, AT_MOST, AT_LEAST = 0, 1, 3, 5
DROP, ACCEPT, JUMP, GOTO, RETURN = 0, 1, -3, -4, -5

_VERDICT_REGISTER: Final = 0
_R1: Final = 1
_R2: Final = 2
_NETWORK_HEADER: Final = 1
_TRANSPORT_HEADER: Final = 2
_SOURCE_OFFSET, _DESTINATION_OFFSET, _PORT_OFFSET = 12, 16, 2
_CT_DIRECTION: Final = 1
_REPLY: Final = b"\1"
_RANDOM: Final = 1
_UPDATE_SET: Final = 1
_DESTINATION_NAT: Final = 1
_RESET: Final = 1
_PORT_UNREACHABLE: Final = b"\3"


def expression(name: str, *attributes: bytes) -> bytes:
    return nested(1, string(1, name), nested(2, *attributes))


def load_meta(key: int) -> bytes:
    """Load what the kernel knows of a packet, by one of the keys above; in this machine's byte order."""
    return expression("meta", be32(1, _R1), be32(2, key))


def load_source() -> bytes:
    return _payload(_NETWORK_HEADER, _SOURCE_OFFSET, 4)


def load_destination() -> bytes:
    return _payload(_NETWORK_HEADER, _DESTINATION_OFFSET, 4)


def load_destination_port() -> bytes:
    return _payload(_TRANSPORT_HEADER, _PORT_OFFSET, 2)


def compare(value: bytes, operator: int = EQUAL) -> bytes:
    """Go on if what is loaded is `value`, or relates to it as `operator` says."""
    return expression("cmp", be32(1, _R1), be32(2, operator), nested(3, attribute(1, value)))


def mask(bits: bytes, flip: bytes) -> bytes:
    """Keep some bits of what is loaded, then flip some; both are as long as what is loaded."""
    values = nested(4, attribute(1, bits)), nested(5, attribute(1, flip))
    return expression("bitwise", be32(1, _R1), be32(2, _R1), be32(3, len(bits)), *values)


def is_answer() -> bytes:
    return expression("ct", be32(1, _R1), be32(2, _CT_DIRECTION)) + compare(_REPLY)


def is_drawn(count: int) -> bytes:
    """Go on at random, once in `count` times."""
    draw = expression("numgen", be32(1, _R1), be32(2, count), be32(3, _RANDOM), be32(4, 0))
    return draw + compare(struct.pack("=I", 0))


def is_in_set(name: str) -> bytes:
    """Go on if what is loaded is in a set of the table."""
    return expression("lookup", string(1, name), be32(2, _R1))


def put_into_set(name: str) -> bytes:
    """Put what is loaded into a set of the table, or renew its time there."""
    return expression("dynset", string(1, name), be32(3, _UPDATE_SET), be32(4, _R1))


def verdict(code: int, chain: str = "") -> bytes:
    """End the rule with one of the verdicts above; `chain` is for those that lead to another one."""
    content = be32(1, code) + (string(2, chain) if chain else b"")
    return expression("immediate", be32(1, _VERDICT_REGISTER), nested(2, nested(2, content)))


def translate_to(address: bytes, port: bytes | None = None) -> bytes:
    """Translate the destination to an address, and port if given, in network byte order."""
    data = _immediate(_R1, address)
    if port is None:
        return data + translate_to_loaded()
    return data + _immediate(_R2, port) + _translate(be32(3, _R1), be32(5, _R2))


def translate_to_loaded() -> bytes:
    """Translate the destination to the address that is loaded."""
    return _translate(be32(3, _R1))


def redirect_to(port: bytes) -> bytes:
    return _immediate(_R1, port) + expression("redir", be32(1, _R1))


def reject_with_reset() -> bytes:
    return expression("reject", be32(1, _RESET), attribute(2, b"\0"))


def reject_as_unreachable() -> bytes:
    return expression("reject", be32(1, 0), attribute(2, _PORT_UNREACHABLE))


def _payload(base: int, offset: int, length: int) -> bytes:
    return expression("payload", be32(1, _R1), be32(2, base), be32(3, offset), be32(4, length))


def _immediate(register: int, value: bytes) -> bytes:
    return expression("immediate", be32(1, register), nested(2, attribute(1, value)))


def _translate(*registers: bytes) -> bytes:
    return expression("nat", be32(1, _DESTINATION_NAT), be32(2, FAMILY_IP), *registers)

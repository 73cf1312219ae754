"""
Rules of nf_tables as data, without the `nft` program: what they say, and the tables and chains that hold them.

    table = nft.Table("services", (
        nft.Chain("output", (nft.rule(nft.daddr("10.96.0.1"), nft.tcp_dport(443), nft.dnat("10.244.0.1", 6443)),),
                  nft.Hook("nat", "output", nft.DSTNAT)),
    ))
    namespace.run(lambda: nft_transactions.install(table))

Tables are of family `ip`. The text of a rule is (close to) what the `nft` program would print; rules compare equal when
they are the same.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass
from typing import Final, Literal

from bookmesh.kube.sandbox import nft_expressions as steps

DSTNAT: Final = -100  # the priorities nf_tables itself calls by these names
FILTER: Final = 0
SRCNAT: Final = 100

Protocol = Literal["tcp", "udp"]
Point = Literal["prerouting", "input", "forward", "output", "postrouting"]

_PROTOCOLS: Final[dict[Protocol, int]] = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
_LOOPBACK_INDEX: Final = 1  # in every network namespace


@dataclass(frozen=True, slots=True)
class Part:
    """A condition or a statement of a rule: its text, and its encoded expressions."""

    text: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions and statements in order; the first condition that does not hold ends the rule."""

    text: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Hook:
    """Where packets enter a chain. Chains of one hook run from the lowest priority to the highest."""

    kind: Literal["nat", "filter"]
    point: Point
    priority: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order. Without a hook the chain is only reached by `jump` and `goto`; a hook's policy is accept."""

    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """A set of source addresses, each forgotten when so many seconds have passed since it was last noted."""

    name: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    chains: tuple[Chain, ...]


def rule(*parts: Part) -> Rule:
    """Join conditions and statements into a rule."""
    return Rule(" ".join(part.text for part in parts), b"".join(part.data for part in parts))


# --- conditions


def protocol(name: Protocol) -> Part:
    number = struct.pack("B", _PROTOCOLS[name])
    return Part(f"meta l4proto {name}", steps.load_meta(steps.PROTOCOL) + steps.compare(number))


def dport(port: int, last: int | None = None) -> Part:
    """Match a destination port, or the range up to `last`; put `protocol` before it."""
    load = steps.load_destination_port()
    if last is None:
        return Part(f"th dport {port}", load + steps.compare(_port(port)))
    limits = steps.compare(_port(port), steps.AT_LEAST) + steps.compare(_port(last), steps.AT_MOST)
    return Part(f"th dport {port}-{last}", load + limits)


def not_dport(port: int) -> Part:
    load = steps.load_destination_port()
    return Part(f"th dport != {port}", load + steps.compare(_port(port), steps.NOT_EQUAL))


def tcp_dport(port: int, last: int | None = None) -> Part:
    """Match TCP and a destination port, or a range of them."""
    of_tcp, to_port = protocol("tcp"), dport(port, last)
    return Part(to_port.text.replace("th", "tcp"), of_tcp.data + to_port.data)


def saddr(network: str) -> Part:
    """Match a source address or network, such as 127.0.0.6 or 10.244.0.0/16."""
    return _address("saddr", steps.load_source(), network)


def daddr(network: str, *, negate: bool = False) -> Part:
    """Match a destination address or network."""
    return _address("daddr", steps.load_destination(), network, negate=negate)


def mark(value: int, *, negate: bool = False) -> Part:
    """Match the packet mark, which a socket sets with SO_MARK."""
    return _host_meta(f"meta mark {'!= ' * negate}{value:#x}", steps.MARK, value, negate)


def to_loopback(*, negate: bool = False) -> Part:
    """Match packets that leave through `lo`."""
    return _host_meta(f'oif {"!= " * negate}"lo"', steps.OUT_INTERFACE, _LOOPBACK_INDEX, negate)


def from_loopback(*, negate: bool = False) -> Part:
    """Match packets that came in through `lo`."""
    return _host_meta(f'iif {"!= " * negate}"lo"', steps.IN_INTERFACE, _LOOPBACK_INDEX, negate)


def answer() -> Part:
    """Match packets that go back to where their connection began, and what is told about them."""
    return Part("ct direction reply", steps.is_answer())


def one_in(count: int) -> Part:
    """Hold at random for one packet in `count`; in a nat chain that is one connection in `count`."""
    return Part(f"numgen random mod {count} 0", steps.is_drawn(count))


def known(memory: str) -> Part:
    """Match packets whose source address is in a memory of the table."""
    return Part(f"ip saddr @{memory}", steps.load_source() + steps.is_in_set(memory))


# --- statements


def accept() -> Part:
    return Part("accept", steps.verdict(steps.ACCEPT))


def drop() -> Part:
    return Part("drop", steps.verdict(steps.DROP))


def return_() -> Part:
    """End this chain; in a chain with a hook the packet goes on as with `accept`."""
    return Part("return", steps.verdict(steps.RETURN))


def jump(chain: str) -> Part:
    return Part(f"jump {chain}", steps.verdict(steps.JUMP, chain))


def goto(chain: str) -> Part:
    return Part(f"goto {chain}", steps.verdict(steps.GOTO, chain))


def note(memory: str) -> Part:
    """Put the source address into a memory of the table, or renew its time there."""
    return Part(f"update @{memory} {{ ip saddr }}", steps.load_source() + steps.put_into_set(memory))


def redirect(port: int) -> Part:
    """Send to a port of this namespace itself; put `protocol` before it."""
    return Part(f"redirect to :{port}", steps.redirect_to(_port(port)))


def dnat(address: str, port: int | None = None) -> Part:
    """Send to another address, and port if given; put `protocol` before it then."""
    packed = socket.inet_aton(address)
    if port is None:
        return Part(f"dnat to {address}", steps.translate_to(packed))
    return Part(f"dnat to {address}:{port}", steps.translate_to(packed, _port(port)))


def dnat_prefix(network: str) -> Part:
    """Send to the address in `network` with the same host part: 127.97.0.7 in 10.97.0.0/16 is 10.97.0.7."""
    to = ipaddress.IPv4Network(network)
    address = steps.load_destination() + steps.mask(to.hostmask.packed, to.network_address.packed)
    return Part(f"dnat ip prefix to {network}", address + steps.translate_to_loaded())


def masquerade() -> Part:
    """Take the address of the interface the packet leaves through as source."""
    return Part("masquerade", steps.expression("masq"))


def reject_with_reset() -> Part:
    """Answer as a closed TCP port does; TCP only."""
    return Part("reject with tcp reset", steps.reject_with_reset())


def reject() -> Part:
    """Answer with ICMP port unreachable."""
    return Part("reject", steps.reject_as_unreachable())


# --- what conditions share


def _host_meta(text: str, key: int, value: int, negate: bool) -> Part:
    """Compare a number that the kernel keeps in this machine's byte order, unlike those of packets."""
    operator = steps.NOT_EQUAL if negate else steps.EQUAL
    return Part(text, steps.load_meta(key) + steps.compare(struct.pack("=I", value), operator))


def _address(name: str, load: bytes, network: str, *, negate: bool = False) -> Part:
    parsed = ipaddress.IPv4Network(network)
    data = load
    if parsed.prefixlen < 32:
        data += steps.mask(parsed.netmask.packed, bytes(4))
    data += steps.compare(parsed.network_address.packed, steps.NOT_EQUAL if negate else steps.EQUAL)
    return Part(f"ip {name} {'!= ' * negate}{network}", data)


def _port(port: int) -> bytes:
    return struct.pack(">H", port)

"""Addresses and ranges of addresses in expressions: maps with their canonical text, which methods read."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

_ADDRESS: Final = "net.IP"
_RANGE: Final = "net.CIDR"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address(value: str | Mapping[str, Any]) -> dict[str, Any]:
    """Parse an address, or give that of a range; raises ValueError."""
    if isinstance(value, Mapping):
        return {"type": _ADDRESS, "text": str(value["text"]).partition("/")[0]}
    return {"type": _ADDRESS, "text": str(_parsed(value))}


def _parsed(text: str) -> Address:
    found = ipaddress.ip_address(text)
    if "%" in text or (isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped):
        raise ValueError(f'IP Address "{text}" must have no zone and not be an IPv4-mapped IPv6 address')
    return found


def is_address(text: str) -> bool:
    """Whether `ip` would take it."""
    return _is(_parsed, text)


def is_canonical(text: str) -> bool:
    """Whether an address is written in the usual way; raises ValueError for what is none."""
    return str(_parsed(text)) == text


def network(text: str) -> dict[str, Any]:
    """Parse a range; it keeps the bits of the host. Raises ValueError."""
    found = ipaddress.ip_interface(text)
    if "/" not in text or not text.rpartition("/")[2].isdecimal():
        raise ValueError(f"network address parse error during conversion from string: {text}")
    return {"type": _RANGE, "text": str(found)}


def is_network(text: str) -> bool:
    """Whether `cidr` would take it."""
    return _is(network, text)


def _is(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def contains_address(owner: Mapping[str, Any], value: str | Mapping[str, Any]) -> bool:
    """Whether an address is in a range."""
    text = value["text"] if isinstance(value, Mapping) else value
    return _parsed(text) in _network(owner)


def contains_network(owner: Mapping[str, Any], value: str | Mapping[str, Any]) -> bool:
    """Whether a range is all within another."""
    inner = _network(value if isinstance(value, Mapping) else network(value))
    outer = _network(owner)
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
    )


def _network(value: Mapping[str, Any]) -> Network:
    return ipaddress.ip_network(value["text"], strict=False)


def masked(value: Mapping[str, Any]) -> dict[str, Any]:
    """A range without the bits of the host."""
    return {"type": _RANGE, "text": str(_network(value))}


def _of(read: Callable[[Address], Any]) -> Callable[[Mapping[str, Any]], Any]:
    return lambda value: read(_parsed(value["text"]))


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "ip": address,
    "isIP": is_address,
    "ip.isCanonical": is_canonical,
    "family": _of(lambda found: found.version),
    "isUnspecified": _of(lambda found: found.is_unspecified),
    "isLoopback": _of(lambda found: found.is_loopback),
    "isLinkLocalMulticast": _of(
        lambda found: found in ipaddress.ip_network("224.0.0.0/24" if found.version == 4 else "ff02::/16")
    ),
    "isLinkLocalUnicast": _of(lambda found: found.is_link_local),
    "isGlobalUnicast": _of(
        lambda found: (
            not (found.is_unspecified or found.is_loopback or found.is_multicast or found.is_link_local)
            and str(found) != "255.255.255.255"
        )
    ),
    "cidr": network,
    "isCIDR": is_network,
    "containsIP": contains_address,
    "containsCIDR": contains_network,
    "prefixLength": lambda value: _network(value).prefixlen,
    "masked": masked,
}

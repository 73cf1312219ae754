"""Cipher suites and curves of TLS that proxies have, by the names that Istio gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
)
CURVES: Final = ("P-256", "P-384", "P-521", "X25519", "X25519MLKEM768")


def usable_suites(names: Iterable[str]) -> tuple[str, ...]:
    """Those that proxies have, each once: names, and groups of equal ones such as `[A|B]`."""
    return tuple(name for name in dict.fromkeys(names) if _is_suite(name))


def usable_curves(names: Iterable[str]) -> tuple[str, ...]:
    """Those that proxies have, each once."""
    return tuple(name for name in dict.fromkeys(names) if name in CURVES)


def _is_suite(name: str) -> bool:
    if name.startswith("[") and name.endswith("]"):
        return all(one in SUITES for one in name[1:-1].split("|"))
    return name in SUITES

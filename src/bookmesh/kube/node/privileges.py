"""
What the processes of a container may do, out of its `securityContext`: capabilities, and getting more of them. Pure.

A container has the usual capabilities, less what it drops, and NET_ADMIN if it adds that. Others would reach beyond
the pod and are never given.
"""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.sandbox.specification import MOST_CAPABILITIES, USUAL_CAPABILITIES

_ALL: Final = "ALL"
NUMBERS: Final = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_BIND_SERVICE": 10,
    "NET_ADMIN": 12,
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
    "AUDIT_WRITE": 29,
    "SETFCAP": 31,
}
"""Those that a container can have; each bit of MOST_CAPABILITIES."""


def capabilities_of(container: JsonObject) -> int:
    """The bits of the capabilities that a container has: what is added counts before what is dropped."""
    own = container.get("securityContext") or {}
    if own.get("privileged"):
        return MOST_CAPABILITIES
    named = own.get("capabilities") or {}
    added, dropped = _names(named.get("add")), _names(named.get("drop"))
    found = MOST_CAPABILITIES if _ALL in added else USUAL_CAPABILITIES
    if _ALL in dropped:
        found = 0
    for name in dropped:
        found &= ~_bit(name)
    for name in added:
        found |= _bit(name)
    return found


def is_escalation_refused(container: JsonObject) -> bool:
    """Whether executing a program must not add privileges, as setuid bits and file capabilities do."""
    return (container.get("securityContext") or {}).get("allowPrivilegeEscalation") is False


def refused_capabilities(container: JsonObject) -> list[str]:
    """The capabilities that a container adds and does not get, sorted."""
    added = ((container.get("securityContext") or {}).get("capabilities") or {}).get("add")
    return sorted(name for name in _names(added) if name != _ALL and name not in NUMBERS)


def _bit(name: str) -> int:
    return 1 << NUMBERS[name] if name in NUMBERS else 0


def _names(listed: list[str] | None) -> set[str]:
    """Names without the prefix that some people write."""
    return {name.upper().removeprefix("CAP_") for name in listed or ()}

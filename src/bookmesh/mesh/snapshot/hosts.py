"""Host names as Istio writes them: short, fully qualified, or with a leading wildcard."""

from __future__ import annotations

from collections.abc import Iterable


def qualified(host: str, namespace: str, domain: str) -> str:
    """Resolve a short name in the namespace of the object that uses it; names with a dot and `*` stay as they are."""
    if host == "*" or "." in host or not host:
        return host
    return f"{host}.{namespace}.svc.{domain}"


def matches(pattern: str, host: str) -> bool:
    """Whether `host`, which may itself be a wildcard, lies inside `pattern`."""
    pattern, host = pattern.lower(), host.lower()
    if pattern.startswith("*"):
        return host.endswith(pattern[1:]) and len(host.lstrip("*")) >= len(pattern) - 1
    return pattern == host


def narrower(one: str, other: str) -> str | None:
    """The part two patterns have in common, which is always one of them; None when there is none."""
    if matches(other, one):
        return one
    return other if matches(one, other) else None


def most_specific(patterns: Iterable[str], host: str) -> str | None:
    """Of the patterns that match, the one that says most: an exact name, else the longest wildcard."""
    found = [pattern for pattern in patterns if matches(pattern, host)]
    return max(found, key=_specificity, default=None)


def _specificity(pattern: str) -> tuple[bool, int]:
    return not pattern.startswith("*"), len(pattern)

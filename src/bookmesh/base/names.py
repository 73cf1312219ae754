"""Names as Kubernetes makes them: no vowels, no look-alikes, never longer than a DNS label."""

from __future__ import annotations

from typing import Final

SAFE_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH: Final = 5
LABEL_LENGTH: Final = 63


def generated_name(prefix: str, suffix: str) -> str:
    """
    Join what `metadata.generateName` asks for with a suffix.

    Returns:
        At most 63 characters; a long prefix is cut, the suffix never.
    """
    return prefix[: LABEL_LENGTH - len(suffix)] + suffix

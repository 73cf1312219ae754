"""
Regular expressions as Envoy reads them: with RE2, the very library it has inside.

What Envoy would refuse is refused where it is written, and not with everything else that its resource says.
"""

from __future__ import annotations

from typing import Final

import re2

_QUIET: Final = re2.Options()
_QUIET.log_errors = False
# Istio's limits; the second one is what proxies are told, in RE2's instructions.
_LONGEST: Final = 1024
LARGEST_PROGRAM: Final = 32768


def check(pattern: str) -> None:
    """
    Make sure that a text is a regular expression, and one that Envoy takes.

    Raises:
        ValueError: it is none; the message says why.
    """
    if not pattern:
        raise ValueError("a regular expression must not be empty")
    _compiled(pattern)


def check_rewrite(pattern: str, rewrite: str) -> None:
    r"""
    Make sure that a replacement for what `pattern` matches uses groups that are there: `\1`; `\\` is a backslash.

    Raises:
        ValueError: it does not, or there is no such pattern.
    """
    groups = _compiled(pattern).groups
    characters = iter(rewrite)
    for character in characters:
        if character != "\\":
            continue
        escaped = next(characters, "")
        if escaped == "\\":
            continue
        if not ("0" <= escaped <= "9"):
            raise ValueError(
                f'rewrite "{rewrite}" has a backslash before something else than a group or a backslash'
            )
        if int(escaped) > groups:
            raise ValueError(f'rewrite "{rewrite}" uses group {escaped}, and the expression has {groups}')


def matches_somewhere(pattern: str, text: str) -> bool:
    """Whether a part of the text matches; the pattern is one that `check` takes."""
    return _compiled(pattern).search(text) is not None


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches; the pattern is one that `check` takes."""
    return _compiled(pattern).fullmatch(text) is not None


def _compiled(pattern: str) -> re2._Regexp[str]:
    if len(pattern) > _LONGEST:
        raise ValueError(f"a regular expression has at most {_LONGEST} characters, not {len(pattern)}")
    try:
        compiled = re2.compile(pattern, _QUIET)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if error.args else "it cannot be read"
        raise ValueError(f'"{pattern}" is no regular expression (RE2): {said}') from error
    if compiled.programsize > LARGEST_PROGRAM:
        raise ValueError(f'"{pattern}" is a regular expression that takes Envoy too much memory')
    return compiled

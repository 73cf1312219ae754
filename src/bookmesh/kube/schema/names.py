"""The syntaxes of names, labels, keys and ports, worded as API servers word them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from bookmesh.kube.schema import causes
from bookmesh.kube.schema.causes import Cause

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE: Final = rf"({_QUALIFIED})?"
_CONFIG_KEY: Final = r"[-._a-zA-Z0-9]+"
_LABEL_LENGTH: Final = 63
_SUBDOMAIN_LENGTH: Final = 253

# Each takes a text and returns what is wrong with it, "" when nothing is.
Syntax = Callable[[str], str]


def _regex(pattern: str) -> str:
    return f"regex used for validation is '{pattern}'"


def _wrong(text: str, *, pattern: str, longest: int, what: str, unit: str = "characters") -> str:
    if len(text) > longest:
        return f"must be no more than {longest} {unit}"
    return "" if re.fullmatch(pattern, text) else what


def dns_label(text: str) -> str:
    """RFC 1123 label: names of namespaces, containers, volumes."""
    what = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        f"with an alphanumeric character (e.g. 'my-name',  or '123-abc', {_regex(_LABEL)})"
    )
    return _wrong(text, pattern=_LABEL, longest=_LABEL_LENGTH, what=what)


def dns_label_1035(text: str) -> str:
    """RFC 1035 label: names of services."""
    what = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
        f"{_regex(_LABEL_1035)})"
    )
    return _wrong(text, pattern=_LABEL_1035, longest=_LABEL_LENGTH, what=what)


def path_segment(text: str) -> str:
    """One segment of a path: names of roles and bindings."""
    if text in (".", ".."):
        return f"may not be '{text}'"
    found = next((character for character in "/%" if character in text), None)
    return f"may not contain '{found}'" if found else ""


def dns_subdomain(text: str) -> str:
    """RFC 1123 subdomain: names of most objects."""
    what = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        f"and end with an alphanumeric character (e.g. 'example.com', {_regex(_SUBDOMAIN)})"
    )
    return _wrong(text, pattern=_SUBDOMAIN, longest=_SUBDOMAIN_LENGTH, what=what)


def qualified_name(text: str) -> str:
    """`name` or `example.com/name`: keys of labels and annotations, finalizers."""
    prefix, slash, name = text.rpartition("/")
    if slash and not prefix:
        return "prefix part must be non-empty"
    if prefix and dns_subdomain(prefix):
        return f"prefix part {dns_subdomain(prefix)}"
    if not name:
        return "name part must be non-empty"
    what = (
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        f"alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', {_regex(_QUALIFIED)})"
    )
    wrong = _wrong(name, pattern=_QUALIFIED, longest=_LABEL_LENGTH, what=what, unit="bytes")
    return wrong.replace("must be", "name part must be", 1) if wrong.startswith("must be") else wrong


def label_value(text: str) -> str:
    what = (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
        f"{_regex(_LABEL_VALUE)})"
    )
    return _wrong(text, pattern=_LABEL_VALUE, longest=_LABEL_LENGTH, what=what, unit="bytes")


def config_key(text: str) -> str:
    """Keys of config maps and secrets, which become file names."""
    if text in (".", "..") or text.startswith(".."):
        return "must not be '.' or start with '..'"
    what = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME', "
        f" or 'key-name', {_regex(_CONFIG_KEY)})"
    )
    return _wrong(text, pattern=_CONFIG_KEY, longest=_SUBDOMAIN_LENGTH, what=what)


def environment_name(text: str) -> str:
    """Names of environment variables: printable ASCII but for the equals sign."""
    if text and all(" " <= character <= "~" and character != "=" for character in text):
        return ""
    return "a valid environment variable name must consist only of printable ASCII characters other than '='"


def port_name(text: str) -> str:
    """Service names of RFC 6335: at most 15 of a-z, 0-9 and single inner hyphens, with a letter in it."""
    if len(text) > 15:
        return "must be no more than 15 characters"
    if not re.fullmatch(r"[-a-z0-9]+", text):
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search(r"[a-z]", text):
        return "must contain at least one letter (a-z)"
    if "--" in text:
        return "must not contain consecutive hyphens"
    if text.startswith("-") or text.endswith("-"):
        return "must not begin or end with a hyphen"
    return ""


def port_number(number: int) -> str:
    return "" if 1 <= number <= 65535 else "must be between 1 and 65535, inclusive"


def check(field: str, value: str, syntax: Syntax) -> list[Cause]:
    """Return at most one cause."""
    wrong = syntax(value)
    return [causes.invalid(field, value, wrong)] if wrong else []


def check_port(field: str, value: Any) -> list[Cause]:
    """Check a port that is a number or the name of a container port."""
    wrong = port_name(value) if isinstance(value, str) else port_number(value)
    return [causes.invalid(field, value, wrong)] if wrong else []


def check_labels(field: str, labels: dict[str, str] | None) -> list[Cause]:
    """Check keys and values of a map of labels."""
    found: list[Cause] = []
    for key, value in (labels or {}).items():
        found += check(field, key, qualified_name)
        found += check(field, value, label_value)
    return found

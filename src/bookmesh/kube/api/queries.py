"""Query parameters of a request to options, with clear refusals."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import orjson

from bookmesh.kube.api import statuses, writing


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page of a list starts: after this object, at the resourceVersion of the first page."""

    version: int
    namespace: str
    name: str

    def encode(self) -> str:
        """As the opaque `continue` token."""
        return base64.urlsafe_b64encode(orjson.dumps([self.version, self.namespace, self.name])).decode()


def parse_cursor(token: str) -> Cursor:
    """Decode a `continue` token; raises 400 for one that is not ours."""
    try:
        version, namespace, name = orjson.loads(base64.urlsafe_b64decode(token))
        return Cursor(int(version), str(namespace), str(name))
    except (binascii.Error, ValueError, TypeError) as error:
        raise statuses.bad_request(f"continue key is not valid: {token!r}") from error


def write_options(query: Mapping[str, str], user_agent: str = "") -> writing.WriteOptions:
    """
    Read `dryRun`, `fieldValidation` and `fieldManager`, which `option_rules` have checked.

    A client that names no field manager is known by the first part of its User-Agent.
    """
    return writing.WriteOptions(
        is_dry_run(query),
        cast(writing.FieldValidation, query.get("fieldValidation") or "Warn"),
        query.get("fieldManager") or _program(user_agent),
    )


def _program(user_agent: str) -> str:
    """The name of a program as it may stand for a field manager."""
    name = "".join(letter if letter.isprintable() else "*" for letter in user_agent.partition("/")[0])
    return name.encode()[:128].decode(errors="ignore") or "unknown"


def is_dry_run(query: Mapping[str, str]) -> bool:
    """Whether nothing may be stored."""
    return query.get("dryRun") == "All"


def is_true(query: Mapping[str, str], key: str) -> bool:
    """A flag, as Go reads it."""
    return query.get(key, "").lower() in {"1", "t", "true"}


def number(query: Mapping[str, str], key: str) -> int | None:
    """A non-negative whole number, None when it is absent; raises 400."""
    text = query.get(key, "")
    if not text:
        return None
    if not text.isdecimal():
        raise statuses.bad_request(f'Invalid value: "{text}": {key} must be a non-negative whole number')
    return int(text)

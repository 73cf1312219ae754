"""Content hashes that may stand in object names and labels."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from bookmesh.base import names


def safe_hash(value: Any, *, salt: str = "", length: int = 10) -> str:
    """
    Hash a JSON value; the order of mapping keys does not matter, a changed `salt` makes another hash.

    Returns:
        `length` characters of `names.SAFE_ALPHABET`, stable across processes and versions.

    Raises:
        orjson.JSONEncodeError: the value is not JSON.
    """
    digest = hashlib.sha256(salt.encode() + b"\0" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()
    number = int.from_bytes(digest, "big")
    characters = []
    for _ in range(length):
        number, index = divmod(number, len(names.SAFE_ALPHABET))
        characters.append(names.SAFE_ALPHABET[index])
    return "".join(characters)

"""Refusals that callers of this room catch."""

from __future__ import annotations


class PatchError(Exception):
    """A patch is malformed, or does not fit the object it is for."""

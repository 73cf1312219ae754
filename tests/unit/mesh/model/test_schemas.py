"""Structures become structural schemas."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model import schemas
from bookmesh.mesh.model.base import NOT_ACTED_ON, Model


class Inner(Model, frozen=True):
    """
    Something inside.

    size: How big.
    """

    size: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Outer(Model, frozen=True):
    """
    Something that
    takes two lines.

    inner: The inner part.
    to_words: Words by name.
    """

    inner: Inner | None = None
    to_words: dict[str, str] = {}
    many: tuple[Inner, ...] = ()
    mode: Annotated[Literal["A", "B"] | None, NOT_ACTED_ON] = None
    share: float = 0.0
    is_on: bool = False
    text: Annotated[str, msgspec.Meta(pattern="^a", min_length=1)] = "a"

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("inner", "to_words"),)


def test_schema_says_all_that_the_structure_does() -> None:
    inner = {
        "type": "object",
        "description": "Something inside.",
        "properties": {"size": {"type": "integer", "minimum": 0, "maximum": 9, "description": "How big."}},
        "required": ["size"],
    }
    alternatives = [{"required": ["inner"]}, {"required": ["toWords"]}]
    assert schemas.schema_for(Outer) == {
        "type": "object",
        "description": "Something that takes two lines.",
        "properties": {
            "inner": {**inner, "description": "The inner part."},
            "isOn": {"type": "boolean"},
            "many": {"type": "array", "items": inner},
            "mode": {"type": "string", "enum": ["A", "B"]},
            "share": {"type": "number", "format": "double"},
            "text": {"type": "string", "pattern": "^a", "minLength": 1},
            "toWords": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Words by name.",
            },
        },
        "oneOf": [{"not": {"anyOf": alternatives}}, *alternatives],
    }

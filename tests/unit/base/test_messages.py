from __future__ import annotations

import re

from bookmesh.base import messages


def test_codes_have_one_shape() -> None:
    assert all(re.fullmatch(r"BM0[1-6]\d\d", code) for code in messages.MESSAGES)


def test_meanings_are_fragments_that_differ() -> None:
    meanings = list(messages.MESSAGES.values())
    assert len(set(meanings)) == len(meanings)
    assert not [meaning for meaning in meanings if meaning.endswith(".") or meaning != meaning.strip()]

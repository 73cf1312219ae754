from __future__ import annotations

from bookmesh.base import names


def test_a_suffix_follows_the_prefix() -> None:
    assert names.generated_name("web-", "x2b4d") == "web-x2b4d"


def test_a_long_prefix_is_cut_and_the_suffix_kept() -> None:
    name = names.generated_name("w" * 100, "x2b4d")
    assert len(name) == 63
    assert name.endswith("wx2b4d")


def test_the_alphabet_spells_nothing() -> None:
    assert len(set(names.SAFE_ALPHABET)) == len(names.SAFE_ALPHABET) == 27
    assert not set(names.SAFE_ALPHABET) & set("aeiouy013")

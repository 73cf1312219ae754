from __future__ import annotations

from bookmesh.base import hashes, names


def test_a_hash_is_stable_across_versions() -> None:
    assert hashes.safe_hash({"a": [1, "x"], "b": None}) == "bq4nld4b4d"


def test_the_order_of_keys_does_not_matter() -> None:
    assert hashes.safe_hash({"a": {"c": 1, "d": 2}, "b": 2}) == hashes.safe_hash(
        {"b": 2, "a": {"d": 2, "c": 1}}
    )


def test_the_order_of_items_matters() -> None:
    assert hashes.safe_hash([1, 2]) != hashes.safe_hash([2, 1])


def test_a_salt_makes_another_hash() -> None:
    assert hashes.safe_hash({}) != hashes.safe_hash({}, salt="1")


def test_a_hash_has_the_length_asked_for_and_safe_characters() -> None:
    found = hashes.safe_hash({"a": 1}, length=30)
    assert len(found) == 30
    assert set(found) <= set(names.SAFE_ALPHABET)


def test_many_values_have_many_hashes() -> None:
    assert len({hashes.safe_hash(number) for number in range(10_000)}) == 10_000

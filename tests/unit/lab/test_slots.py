from __future__ import annotations

import os

from bookmesh.lab import paths, slots

NAMED = slots.of_name(f"a lab of process {os.getpid()}")


def test_a_taken_slot_is_not_given_twice() -> None:
    first, held = slots.take(NAMED)
    with held:
        second, other = slots.take(first)
        with other:
            assert second != first


def test_the_preferred_slot_is_given_when_free() -> None:
    free, held = slots.take(NAMED)
    held.close()
    again, held = slots.take(free)
    held.close()
    assert again == free


def test_a_lab_has_the_number_of_its_name_and_the_default_lab_the_first() -> None:
    assert slots.of_name(paths.DEFAULT_NAME) == 1
    numbers = [slots.of_name(f"lab-{each}") for each in range(100)]
    assert numbers == [slots.of_name(f"lab-{each}") for each in range(100)]
    assert 1 not in numbers
    assert len(set(numbers)) > 60

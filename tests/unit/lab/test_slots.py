from __future__ import annotations

from bookmesh.lab import slots


def test_a_taken_slot_is_not_given_twice() -> None:
    first, held = slots.take(None)
    with held:
        second, other = slots.take(first)
        with other:
            assert second != first


def test_the_preferred_slot_is_given_when_free() -> None:
    free, held = slots.take(None)
    held.close()
    again, held = slots.take(free)
    held.close()
    assert again == free

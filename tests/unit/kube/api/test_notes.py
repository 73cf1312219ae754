"""What is noted of a request."""

from __future__ import annotations

import contextvars

from bookmesh.kube.api import notes


def test_the_first_value_stays_and_nobody_need_listen() -> None:
    def unheard() -> None:
        notes.note("a", "1")

    def heard() -> dict[str, str]:
        found = notes.begin()
        notes.note("a", "1")
        notes.note("a", "2")
        return found

    contextvars.Context().run(unheard)
    assert contextvars.Context().run(heard) == {"a": "1"}

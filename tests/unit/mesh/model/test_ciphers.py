"""Which names of suites and curves are those of something that proxies have."""

from __future__ import annotations

from bookmesh.mesh.model import ciphers


def test_unknown_names_and_repetitions_are_left_out() -> None:
    given = ("AES128-SHA", "odd", "[AES128-SHA|AES256-SHA]", "[AES128-SHA|odd]", "AES128-SHA", "ALL", "")
    assert ciphers.usable_suites(given) == ("AES128-SHA", "[AES128-SHA|AES256-SHA]")
    assert ciphers.usable_curves(("P-256", "P-224", "P-256")) == ("P-256",)

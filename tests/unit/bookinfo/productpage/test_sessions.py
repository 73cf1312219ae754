from __future__ import annotations

import pytest

from bookinfo.productpage import sessions


def test_cookie_names_its_user() -> None:
    signer = sessions.Signer(b"secret")
    assert signer.user(signer.issue("Zoë; jason")) == "Zoë; jason"


def test_cookie_of_another_secret_or_with_any_other_byte_is_nobody() -> None:
    signer = sessions.Signer(b"secret")
    cookie = signer.issue("jason")
    assert sessions.Signer(b"other").user(cookie) is None
    payload, _, signature = cookie.partition(".")
    for damaged in (
        payload,
        f"{payload}.",
        f".{signature}",
        f"{payload}x.{signature}",
        f"{cookie}x",
        "é.é",
        "",
        None,
    ):
        assert signer.user(damaged) is None


def test_cookie_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = sessions.Signer(b"secret")
    monkeypatch.setattr(sessions.time, "time", lambda: 1_000.0)
    cookie = signer.issue("jason")
    monkeypatch.setattr(sessions.time, "time", lambda: 1_000.0 + sessions.LIFETIME_S)
    assert signer.user(cookie) is None


@pytest.mark.parametrize("text", ["", "   ", "x" * 65, "jason\r\nhost: evil", "a\x00b", "tab\tbed"])
def test_name_that_cannot_be_a_header_is_no_user(text: str) -> None:
    assert sessions.parse_user(text) is None


def test_name_loses_blanks_around_it() -> None:
    assert sessions.parse_user(" jason ") == "jason"

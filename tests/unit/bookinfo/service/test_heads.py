from __future__ import annotations

import pytest

from bookinfo.service import answers, heads, settings
from bookinfo.service.answers import Response


@pytest.fixture
def prepared() -> heads.Heads:
    environment = settings.Environment({"HOSTNAME": "pod-1", "SERVICE_VERSION": "v9"})
    return heads.Heads(settings.read(environment, "example", host=None, port=0))


def test_a_head_is_complete(prepared: heads.Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads.time, "time", lambda: 784111777.5)
    assert prepared.encode(answers.text("hi"), is_last=False) == (
        b"HTTP/1.1 200 OK\r\n"
        b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"bookinfo-pod: pod-1\r\n"
        b"bookinfo-version: v9\r\n"
        b"content-type: text/plain; charset=utf-8\r\n"
        b"content-length: 2\r\n"
        b"\r\n"
    )


def test_the_last_answer_says_that_it_is(prepared: heads.Heads) -> None:
    assert b"\r\nconnection: close\r\n" in prepared.encode(Response(), is_last=True)


@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_body_has_no_length(prepared: heads.Heads, status: int) -> None:
    assert b"content-length" not in prepared.encode(Response(b"", status), is_last=False)


def test_a_made_up_status_has_no_phrase(prepared: heads.Heads) -> None:
    assert prepared.encode(Response(b"", 299), is_last=False).startswith(b"HTTP/1.1 299 \r\n")


def test_the_date_is_renewed(prepared: heads.Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000_000.0
    monkeypatch.setattr(heads.time, "time", lambda: now)
    first = prepared.encode(Response(), is_last=False)
    now += 1
    assert prepared.encode(Response(), is_last=False) == first
    prepared.refresh()
    assert prepared.encode(Response(), is_last=False) != first

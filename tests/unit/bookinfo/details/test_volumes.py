from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from bookinfo.details import volumes

INFO: dict[str, Any] = {
    "title": "The Comedy of Errors",
    "authors": ["William Shakespeare", "An Editor"],
    "publisher": "A Press",
    "publishedDate": "2002-01-01",
    "industryIdentifiers": [
        {"type": "OTHER", "identifier": "x"},
        {"type": "ISBN_10", "identifier": "0486424618"},
        {"type": "ISBN_13", "identifier": "9780486424613"},
    ],
    "pageCount": 64,
    "printType": "BOOK",
    "language": "en",
}


def answer(**changed: Any) -> bytes:
    info = {name: value for name, value in {**INFO, **changed}.items() if value is not ...}
    return json.dumps({"kind": "books#volumes", "totalItems": 1, "items": [{"volumeInfo": info}]}).encode()


def test_first_book_has_the_shape_of_this_service() -> None:
    assert msgspec.to_builtins(volumes.parse_book(answer(), 7)) == {
        "id": 7,
        "author": "William Shakespeare",
        "year": "2002-01-01",
        "type": "paperback",
        "pages": 64,
        "publisher": "A Press",
        "language": "English",
        "ISBN-10": "0486424618",
        "ISBN-13": "9780486424613",
    }


@pytest.mark.parametrize(
    ("changed", "member", "expected"),
    [
        ({"language": "fr"}, "language", "unknown"),
        ({"language": ...}, "language", "unknown"),
        ({"printType": "MAGAZINE"}, "type", "unknown"),
        ({"printType": ...}, "type", "unknown"),
        ({"pageCount": ...}, "pages", None),
        ({"publisher": ...}, "publisher", None),
        ({"publishedDate": ...}, "year", None),
    ],
)
def test_what_the_service_does_not_know(changed: dict[str, Any], member: str, expected: object) -> None:
    assert msgspec.to_builtins(volumes.parse_book(answer(**changed), 0))[member] == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "an answer that cannot be read"),
        (b"<html>", "an answer that cannot be read"),
        (b"\xff", "an answer that cannot be read"),
        (b"[]", "an answer that cannot be read"),
        (b'{"items": [{}]}', "an answer that cannot be read"),
        (b'{"kind": "books#volumes", "totalItems": 0}', "no such book"),
        (b'{"items": []}', "no such book"),
        (answer(authors=...), "a book without an author"),
        (answer(authors=[]), "a book without an author"),
        (answer(industryIdentifiers=[]), "a book without an ISBN_10"),
        (answer(industryIdentifiers=INFO["industryIdentifiers"][:2]), "a book without an ISBN_13"),
    ],
)
def test_no_book_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(volumes.UnknownBookError, match=f"^{reason}"):
        volumes.parse_book(body, 0)

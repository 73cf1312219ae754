"""What the Google Books API answers to a search, and the book that is in it. Pure: no request is made here."""

from __future__ import annotations

from typing import Final

import msgspec

from bookinfo.details import books


class UnknownBookError(ValueError):
    """There is no book in an answer, or not one with an author and both ISBNs; the text says which."""


class Identifier(msgspec.Struct):
    """One number of a book, such as an ISBN."""

    type: str
    identifier: str


class VolumeInfo(msgspec.Struct, rename="camel"):
    """What is known about a book, as far as this service looks."""

    authors: list[str] = []
    published_date: str | None = None
    print_type: str | None = None
    page_count: int | None = None
    publisher: str | None = None
    language: str | None = None
    industry_identifiers: list[Identifier] = []


class Volume(msgspec.Struct, rename="camel"):
    """One search result."""

    volume_info: VolumeInfo


class Volumes(msgspec.Struct):
    """The answer to a search."""

    items: list[Volume] = []


_DECODER: Final = msgspec.json.Decoder(Volumes)


def parse_book(body: bytes, product_id: int) -> books.Book:
    """
    Return the first book that was found, in the shape of this service.

    Raises:
        UnknownBookError: with the reason.
    """
    try:
        found = _DECODER.decode(body).items
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnknownBookError(f"an answer that cannot be read: {error}") from error
    if not found:
        raise UnknownBookError("no such book")
    info = found[0].volume_info
    if not info.authors:
        raise UnknownBookError("a book without an author")
    return books.Book(
        id=product_id,
        author=info.authors[0],
        year=info.published_date,
        type="paperback" if info.print_type == "BOOK" else "unknown",
        pages=info.page_count,
        publisher=info.publisher,
        language="English" if info.language == "en" else "unknown",
        isbn_10=isbn(info, "ISBN_10"),
        isbn_13=isbn(info, "ISBN_13"),
    )


def isbn(info: VolumeInfo, kind: str) -> str:
    """Return the first number of a kind."""
    for known in info.industry_identifiers:
        if known.type == kind:
            return known.identifier
    raise UnknownBookError(f"a book without an {kind}")

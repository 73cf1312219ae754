"""The books this service knows, in the JSON shape of Istio's sample."""

from __future__ import annotations

import msgspec


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `/details/{id}`; members appear in this order."""

    id: int
    author: str
    year: int | str | None
    """A number for the built-in book; a date such as "2002-01-01" where the external service knows it."""
    type: str
    pages: int | None
    publisher: str | None
    language: str
    isbn_10: str = msgspec.field(name="ISBN-10")
    isbn_13: str = msgspec.field(name="ISBN-13")


def book_for(product_id: int) -> Book:
    """Return the details of a product. The shop has one book on every shelf, as the sample does."""
    return Book(
        id=product_id,
        author="William Shakespeare",
        year=1595,
        type="paperback",
        pages=200,
        publisher="PublisherA",
        language="English",
        isbn_10="1234567890",
        isbn_13="123-1234567890",
    )

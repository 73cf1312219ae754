"""The books on offer: one, as in Istio's sample."""

from __future__ import annotations

from typing import Final

import msgspec


class Product(msgspec.Struct, frozen=True, rename="camel"):
    """An item of `/api/v1/products`. `description_html` is ours and trusted; it may contain links and emphasis."""

    id: int
    title: str
    description_html: str


PRODUCTS: Final = (
    Product(
        id=0,
        title="The Comedy of Errors",
        description_html=(
            "Two masters who look alike, two servants who look alike, and one day in Ephesus on which nobody is"
            " recognised for who he is. <b>William Shakespeare&rsquo;s</b> shortest play is also among his first:"
            " a farce of mistaken identities, told in puns and bruises."
            ' <a href="https://en.wikipedia.org/wiki/The_Comedy_of_Errors">Read the plot on Wikipedia</a>.'
        ),
    ),
)

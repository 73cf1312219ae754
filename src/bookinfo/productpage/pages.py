"""
What the pages show, as plain data, and the templates that turn it into HTML.

Backends are not trusted to keep their promises: an answer of another shape becomes an error block, a wild number of
stars is cut to what can be drawn, a colour becomes a CSS class only if it is a plain word, and everything is escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import jinja2
import msgspec
from markupsafe import Markup

from bookinfo.productpage.backends import Result, unavailable
from bookinfo.productpage.products import Product
from bookinfo.service.settings import ServiceSettings

COLOR: Final = re.compile(r"[a-z]{1,20}")
VERSION_IN_POD: Final = re.compile(r"-(v[0-9]+)-")
MOST_STARS: Final = 5
NO_NAME: Final = "null"
"""What reviews says for a pod or cluster name it does not have."""

Text = str | int | float | None


class DetailsAnswer(msgspec.Struct):
    """What details answers, as far as the page shows it."""

    author: Text = None
    year: Text = None
    type: Text = None
    pages: Text = None
    publisher: Text = None
    language: Text = None
    isbn_10: Text = msgspec.field(default=None, name="ISBN-10")
    isbn_13: Text = msgspec.field(default=None, name="ISBN-13")


class RatingAnswer(msgspec.Struct):
    stars: int | None = None
    color: str = "black"
    error: str | None = None


class ReviewAnswer(msgspec.Struct):
    reviewer: str = ""
    text: str = ""
    rating: RatingAnswer | None = None


class ReviewsAnswer(msgspec.Struct):
    """What reviews answers, as far as the page shows it."""

    podname: str = NO_NAME
    clustername: str = NO_NAME
    reviews: list[ReviewAnswer] = []


class ErrorAnswer(msgspec.Struct):
    error: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answered for a block of the page, and how long it took. Empty text: not known."""

    version: str
    pod: str
    cluster: str
    milliseconds: str


@dataclass(frozen=True, slots=True)
class Rating:
    """Full and empty stars add up to 5; `error` is the sentence shown in their place, or empty."""

    full: int
    empty: int
    color: str
    error: str


@dataclass(frozen=True, slots=True)
class Review:
    reviewer: str
    text: str
    rating: Rating | None


@dataclass(frozen=True, slots=True)
class DetailsBlock:
    """Either rows of (label, value) or an error."""

    rows: tuple[tuple[str, str], ...]
    error: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class ReviewsBlock:
    """Either reviews or an error."""

    reviews: tuple[Review, ...]
    error: str
    origin: Origin


_DETAILS: Final = msgspec.json.Decoder(DetailsAnswer)
_REVIEWS: Final = msgspec.json.Decoder(ReviewsAnswer)
_ERROR: Final = msgspec.json.Decoder(ErrorAnswer)


def build_details(result: Result) -> DetailsBlock:
    """Turn the answer of details into what the page shows."""
    origin = build_origin(result)
    if not result.is_ok:
        return DetailsBlock((), _ERROR.decode(result.body).error, origin)
    try:
        book = _DETAILS.decode(result.body)
    except msgspec.DecodeError:
        return DetailsBlock((), _ERROR.decode(unavailable("details")).error, origin)
    labelled = (
        ("Author", book.author),
        ("Year", book.year),
        ("Type", book.type),
        ("Pages", book.pages),
        ("Publisher", book.publisher),
        ("Language", book.language),
        ("ISBN-10", book.isbn_10),
        ("ISBN-13", book.isbn_13),
    )
    rows = tuple((label, str(value)) for label, value in labelled if value is not None)
    return DetailsBlock(rows, "", origin)


def build_reviews(result: Result) -> ReviewsBlock:
    """Turn the answer of reviews into what the page shows."""
    if not result.is_ok:
        return ReviewsBlock((), _ERROR.decode(result.body).error, build_origin(result))
    try:
        answer = _REVIEWS.decode(result.body)
    except msgspec.DecodeError:
        return ReviewsBlock((), _ERROR.decode(unavailable("reviews")).error, build_origin(result))
    reviews = tuple(
        Review(review.reviewer, review.text, build_rating(review.rating)) for review in answer.reviews
    )
    origin = build_origin(result, pod=answer.podname, cluster=answer.clustername)
    return ReviewsBlock(reviews, "", origin)


def build_rating(rating: RatingAnswer | None) -> Rating | None:
    """Return what is drawn for a rating; None if there is nothing to draw."""
    if rating is None or (rating.stars is None and not rating.error):
        return None
    full = 0 if rating.stars is None else max(0, min(MOST_STARS, rating.stars))
    color = rating.color if COLOR.fullmatch(rating.color) else "black"
    error = (rating.error or "") if rating.stars is None else ""
    return Rating(full=full, empty=MOST_STARS - full, color=color, error=error)


def build_origin(result: Result, *, pod: str = "", cluster: str = "") -> Origin:
    """
    Say who answered. What the answer's headers say about the version wins over a guess from the pod's name.
    """
    pod = result.pod or (pod if pod != NO_NAME else "")
    guess = VERSION_IN_POD.search(pod)
    return Origin(
        version=result.version or (guess.group(1) if guess else ""),
        pod=pod,
        cluster=cluster if cluster != NO_NAME else "",
        milliseconds=f"{result.seconds * 1000:,.0f} ms"
        if result.seconds >= 0.01
        else f"{result.seconds * 1000:.1f} ms",
    )


class Pages:
    """The templates, compiled once."""

    def __init__(self, settings: ServiceSettings, *, style_url: str, icon_url: str) -> None:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("bookinfo.productpage"),
            autoescape=True,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        environment.globals.update(
            style_url=style_url, icon_url=icon_url, page_pod=settings.pod, page_version=settings.version
        )
        self._product = environment.get_template("product.html")
        self._index = environment.get_template("index.html")
        self._message = environment.get_template("message.html")

    def product(
        self, product: Product, *, user: str | None, details: DetailsBlock, reviews: ReviewsBlock
    ) -> str:
        """Render the page of one book."""
        return self._product.render(
            product=product,
            description=Markup(product.description_html),  # noqa: S704 - ours, see Product
            user=user,
            details=details,
            reviews=reviews,
        )

    def index(self, services: tuple[tuple[str, str, tuple[str, ...]], ...], *, user: str | None) -> str:
        """Render the entrance: services as (name, URL, names of the services it calls)."""
        return self._index.render(services=services, user=user)

    def message(self, *, status: int, title: str, text: str) -> str:
        """Render a page that says why there is no other."""
        return self._message.render(status=status, title=title, text=text, user=None)

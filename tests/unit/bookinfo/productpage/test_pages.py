from __future__ import annotations

import json

import pytest

from bookinfo.productpage import backends, pages, products
from bookinfo.service import settings


def result(body: object, **more: object) -> backends.Result:
    return backends.Result(200, json.dumps(body).encode(), 0.0042, **more)  # type: ignore[arg-type]


def failed(name: str) -> backends.Result:
    return backends.Result(503, backends.unavailable(name), 6.0)


def render(reviews: backends.Result, details: backends.Result | None = None, user: str | None = None) -> str:
    common = settings.read(settings.Environment({"HOSTNAME": "page-1"}), "productpage", host=None, port=None)
    templates = pages.Pages(common, style_url="static/x.css", icon_url="static/x.svg")
    return templates.product(
        products.PRODUCTS[0],
        user=user,
        details=pages.build_details(details or result({})),
        reviews=pages.build_reviews(reviews),
    )


def reviews_with(*ratings: object) -> backends.Result:
    return result(
        {
            "podname": "reviews-v2-abc",
            "clustername": "null",
            "reviews": [
                {
                    "reviewer": f"Reviewer{n}",
                    "text": "Good.",
                    **({} if rating is None else {"rating": rating}),
                }
                for n, rating in enumerate(ratings, 1)
            ],
        }
    )


def test_landmarks_of_the_sample_are_on_the_page() -> None:
    html = render(reviews_with(None, None))
    for landmark in (
        "<title>Simple Bookstore App</title>",
        "The Comedy of Errors",
        "William Shakespeare",
        "Book Details",
        "Book Reviews",
        "Reviewer1",
        "Reviewer2",
        "Sign in",
        'action="login"',
        'name="username"',
        'name="passwd"',
    ):
        assert landmark in html
    served_by = next(line for line in html.splitlines() if "Reviews served by:" in line)
    assert "reviews-v2-abc" in served_by


def test_page_without_ratings_has_no_stars_at_all() -> None:
    html = render(reviews_with(None, None))
    assert "glyphicon" not in html
    assert "text-" not in html


@pytest.mark.parametrize("color", ["black", "red"])
def test_stars_are_marked_up_as_the_documentation_checks(color: str) -> None:
    html = render(reviews_with({"stars": 5, "color": color}, {"stars": 4, "color": color}))
    assert html.count('class="glyphicon glyphicon-star"') == 9
    assert html.count('class="glyphicon glyphicon-star-empty"') == 1
    assert html.count(f"text-{color}-500") == 2
    assert f"4 out of 5 stars, {color}" in html


def test_failing_ratings_show_their_sentence_and_no_star() -> None:
    html = render(reviews_with({"error": "Ratings service is currently unavailable"}))
    assert "Ratings service is currently unavailable" in html
    assert "glyphicon" not in html


def test_failing_reviews_show_the_sentence_and_how_long_it_took() -> None:
    html = render(failed("reviews"))
    assert "Error fetching product reviews!" in html
    assert "Sorry, product reviews are currently unavailable for this book." in html
    assert "6,000 ms" in html
    assert "Book Reviews" not in html
    assert "Book Details" in html


def test_failing_details_show_the_sentence() -> None:
    html = render(reviews_with(None), failed("details"))
    assert "Error fetching product details!" in html
    assert "Sorry, product details are currently unavailable for this book." in html
    assert "Book Details" not in html
    assert "Book Reviews" in html


@pytest.mark.parametrize("body", [[], 1, {"reviews": {}}, {"reviews": [{"rating": {"stars": "5"}}]}])
def test_answer_of_another_shape_is_an_error_block(body: object) -> None:
    assert "Error fetching product reviews!" in render(result(body))


@pytest.mark.parametrize(("stars", "full"), [(-3, 0), (0, 0), (5, 5), (1_000_000_000, 5)])
def test_stars_are_cut_to_what_can_be_drawn(stars: int, full: int) -> None:
    html = render(reviews_with({"stars": stars, "color": "red"}))
    assert html.count('class="glyphicon glyphicon-star"') == full
    assert html.count('class="glyphicon glyphicon-star-empty"') == 5 - full


def test_everything_from_outside_is_escaped() -> None:
    evil = "<script>\"'&"
    html = render(
        result(
            {
                "podname": evil,
                "clustername": evil,
                "reviews": [{"reviewer": evil, "text": evil, "rating": {"error": evil}}],
            }
        ),
        result({"author": evil, "publisher": evil}, version=evil, pod=evil),
        user=evil,
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;&#34;&#39;&amp;") >= 8


def test_color_that_is_no_word_is_black() -> None:
    html = render(reviews_with({"stars": 1, "color": 'red" onload="x'}))
    assert "onload" not in html
    assert "text-black-500" in html


def test_origin_prefers_what_the_answer_says_about_itself() -> None:
    said = pages.build_origin(result({}, version="v9", pod="reviews-v2-x"), pod="null")
    assert (said.version, said.pod, said.milliseconds) == ("v9", "reviews-v2-x", "4.2 ms")
    guessed = pages.build_origin(result({}), pod="reviews-v3-7c9-x", cluster="null")
    assert (guessed.version, guessed.pod, guessed.cluster) == ("v3", "reviews-v3-7c9-x", "")
    assert pages.build_origin(result({}), pod="null").pod == ""

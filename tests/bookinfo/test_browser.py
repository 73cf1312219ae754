"""The page in a real Chromium: what people see and do, in every state, and what axe-core thinks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect
from tests.bookinfo import browsing

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
"""The narrowest that WCAG asks for (reflow)."""

SENTENCES = {
    "reviews-down": "Sorry, product reviews are currently unavailable for this book.",
    "details-down": "Sorry, product details are currently unavailable for this book.",
    "ratings-down": "Ratings service is currently unavailable",
}
LONGEST_NAME = "W" * 64

Open = Callable[..., browsing.Window]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsing.Shops]:
    with ExitStack() as stack:
        yield browsing.Shops(stack, tmp_path_factory.mktemp("shops"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        yield browsing.launch(stack)


@pytest.fixture(scope="module")
def axe() -> str:
    return browsing.axe_source()


@pytest.fixture
def open_page(shops: browsing.Shops, browser: Browser) -> Iterator[Open]:
    """Open a shop in a state, at a path, in a new browser context with the given options."""
    with ExitStack() as stack:
        windows: list[browsing.Window] = []

        def open_one(state: str, path: str = "/productpage", **options: Any) -> browsing.Window:
            context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
            stack.callback(context.close)
            window = browsing.Window(context.new_page())
            windows.append(window)
            window.page.goto(shops.url(state) + path)
            return window

        yield open_one
        for window in windows:
            hosts = {urlsplit(url).hostname for url in window.requested}
            assert hosts == {"127.0.0.1"}, "the page asked somebody else"


def sign_in(window: browsing.Window, name: str) -> None:
    window.page.locator("#sign-in-button").click()
    window.page.get_by_label("User name").fill(name)
    window.page.get_by_label("User name").press("Enter")


def test_book_details_and_reviews_are_shown(open_page: Open) -> None:
    window = open_page("v1")
    page = window.page
    expect(page).to_have_title("Simple Bookstore App")
    expect(page.get_by_role("heading", level=1)).to_have_text("The Comedy of Errors")
    expect(page.get_by_role("heading", name="Book Details")).to_be_visible()
    expect(page.get_by_text("William Shakespeare", exact=True).last).to_be_visible()
    expect(page.locator("figure.review")).to_have_count(2)
    expect(page.get_by_text("Reviews served by: reviews-v1")).to_be_visible()
    expect(page.get_by_text("Details served by: details-v1")).to_be_visible()
    window.keep_picture("light")
    assert window.problems == []


def test_version_1_has_no_stars(open_page: Open) -> None:
    expect(open_page("v1").page.locator(".glyphicon")).to_have_count(0)


@pytest.mark.parametrize(("version", "word"), [("v2", "black"), ("v3", "red")])
def test_stars_are_drawn_in_the_colour_of_the_version(open_page: Open, version: str, word: str) -> None:
    window = open_page(version)
    stars = window.page.locator(".glyphicon-star")
    expect(stars).to_have_count(9)
    expect(window.page.locator(".glyphicon-star-empty")).to_have_count(1)
    expect(window.page.get_by_text(f"4 out of 5 stars, {word}")).to_be_attached()
    box = stars.first.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 12
    red, green, blue = browsing.colour(window.style(".glyphicon-star", "fill"))
    assert max(green, blue) < 60
    assert red > 150 if word == "red" else red < 60
    window.keep_picture(version)
    assert window.problems == []


def test_a_user_signs_in_and_out(open_page: Open) -> None:
    window = open_page("v2")
    sign_in(window, "jason")
    expect(window.page.get_by_text("Signed in as jason")).to_be_visible()
    expect(window.page.locator("#sign-in-button")).to_have_count(0)
    window.keep_picture("signed-in")
    window.page.get_by_role("link", name="Sign out").click()
    expect(window.page.locator("#sign-in-button")).to_be_visible()
    expect(window.page.get_by_text("Signed in as")).to_have_count(0)
    assert window.problems == []


def test_a_name_cannot_become_markup(open_page: Open) -> None:
    window = open_page("v1")
    sign_in(window, "<img src=x onerror=alert(1)>")
    expect(window.page.get_by_text("Signed in as <img src=x onerror=alert(1)>")).to_be_visible()
    assert window.problems == []


@pytest.mark.parametrize("state", browsing.BROKEN)
def test_what_is_down_is_said_and_the_rest_is_shown(open_page: Open, state: str) -> None:
    window = open_page(state)
    page = window.page
    sentence = page.get_by_text(SENTENCES[state])
    expect(sentence).to_have_count(2 if state == "ratings-down" else 1)
    expect(sentence.first).to_be_visible()
    expect(page.get_by_role("heading", name="Book Details")).to_have_count(int(state != "details-down"))
    expect(page.get_by_role("heading", name="Book Reviews")).to_have_count(int(state != "reviews-down"))
    expect(page.locator("figure.review")).to_have_count(0 if state == "reviews-down" else 2)
    window.keep_picture(state)
    assert window.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_what_the_user_prefers(open_page: Open, scheme: str) -> None:
    window = open_page("v3", color_scheme=scheme)
    paper = browsing.colour(window.style("body", "background-color"))
    ink = browsing.colour(window.style("body", "color"))
    assert min(paper) > 200 if scheme == "light" else max(paper) < 60
    assert max(ink) < 60 if scheme == "light" else min(ink) > 200
    window.keep_picture(f"v3-{scheme}")


@pytest.mark.parametrize("state", [*browsing.WHOLE, *browsing.BROKEN])
def test_nothing_is_cut_off_on_a_phone(open_page: Open, state: str) -> None:
    window = open_page(state, viewport=PHONE)
    assert window.overflow_px() <= 0
    window.page.locator("#sign-in-button").click()
    assert window.overflow_px() <= 0
    field = window.page.get_by_label("User name").bounding_box()
    assert field is not None
    assert field["x"] >= 0
    assert field["x"] + field["width"] <= PHONE["width"]
    window.keep_picture(f"phone-{state}")


@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_the_other_pages_fit_on_a_phone(open_page: Open, path: str) -> None:
    assert open_page("v1", path, viewport=PHONE).overflow_px() <= 0


def test_a_long_name_fits_on_a_phone(open_page: Open) -> None:
    window = open_page("v1", viewport=PHONE)
    sign_in(window, LONGEST_NAME)
    expect(window.page.get_by_text(LONGEST_NAME)).to_be_visible()
    assert window.overflow_px() <= 0
    window.keep_picture("phone-long-name")


def test_everything_works_without_javascript(open_page: Open) -> None:
    window = open_page("v3", java_script_enabled=False)
    expect(window.page.locator(".glyphicon-star")).to_have_count(9)
    sign_in(window, "jason")
    expect(window.page.get_by_text("Signed in as jason")).to_be_visible()
    window.page.get_by_role("link", name="Sign out").click()
    expect(window.page.locator("#sign-in-button")).to_be_visible()


def test_the_keyboard_is_enough_to_sign_in(open_page: Open) -> None:
    window = open_page("v1")
    keyboard = window.page.keyboard
    keyboard.press("Tab")
    expect(window.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Tab")
    expect(window.page.locator("#sign-in-button")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(window.page.get_by_label("User name")).to_be_focused()
    keyboard.type("jason")
    keyboard.press("Enter")
    expect(window.page.get_by_text("Signed in as jason")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", [*browsing.WHOLE, *browsing.BROKEN])
def test_axe_finds_no_violation(open_page: Open, axe: str, state: str, scheme: str) -> None:
    assert open_page(state, color_scheme=scheme).violations(axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_axe_finds_no_violation_on_other_pages(open_page: Open, axe: str, path: str, scheme: str) -> None:
    assert open_page("v1", path, color_scheme=scheme).violations(axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_before_and_after_signing_in(open_page: Open, axe: str, scheme: str) -> None:
    window = open_page("v3", color_scheme=scheme)
    window.page.locator("#sign-in-button").click()
    expect(window.page.get_by_label("User name")).to_be_visible()
    assert window.violations(axe) == []
    window.page.get_by_label("User name").fill("jason")
    window.page.get_by_label("User name").press("Enter")
    expect(window.page.get_by_text("Signed in as jason")).to_be_visible()
    assert window.violations(axe) == []


def test_axe_finds_no_violation_on_a_phone(open_page: Open, axe: str) -> None:
    assert open_page("v3", viewport=PHONE).violations(axe) == []


def test_axe_would_find_a_violation(open_page: Open, axe: str) -> None:
    """The negative control."""
    window = open_page("v1")
    window.page.evaluate("document.querySelector('.lead').style.color = '#ddd'")
    assert any(found.startswith("color-contrast") for found in window.violations(axe))

"""The page in a real browser: sign in as jason, see stars. A screenshot is kept in artifacts/."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from tests.lab import labs

pytestmark = [pytest.mark.lab, pytest.mark.browser]
ARTIFACTS = Path(__file__).parents[2] / "artifacts"
PATIENCE_MS = 60_000
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *QUIET])
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def test_jason_signs_in_and_sees_stars(bookinfo: labs.Lab, page: Page) -> None:
    bookinfo.apply_sample("routes-all-v1.yaml", "routes-jason-v2.yaml")
    jason = labs.Visitor(bookinfo.page, "jason")
    labs.wait_until(lambda: jason.stars() == "black", what="the route")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"{request.url}: {request.failure}"))
    page.goto(bookinfo.page)
    stars = page.locator(".glyphicon-star")
    expect(stars).to_have_count(0)
    page.locator("#sign-in-button").click()
    page.locator("input[name=username]").fill("jason")
    page.locator("input[name=username]").press("Enter")
    expect(stars.first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("jason").first).to_be_visible(timeout=PATIENCE_MS)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "productpage-jason.png", full_page=True)
    assert (ARTIFACTS / "productpage-jason.png").stat().st_size > 10_000
    assert problems == []

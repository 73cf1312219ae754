"""The report in a real Chromium: nothing is cut off on a phone, and axe-core finds nothing, with all of it unfolded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.bookinfo import browsing
from tests.unit.tasks import sample

from bookmesh.tasks.reports import html

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 800}
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"

Open = Callable[..., browsing.Window]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one task of each outcome, with YAML that is wider than a phone."""
    long = f"kind: A  # {'a long comment, ' * 20}\n"
    steps = [sample.result(outcome).steps[0] for outcome in ("passed", "failed", "broken")]
    results = [
        sample.result(step.outcome, key=f"t/{step.outcome}", steps=(dataclasses.replace(step, detail=long),))
        for step in steps
    ]
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(html.build_page(results, took_s=6.0, target="the lab x", when="2026-01-01 12:00"))
    return file


@pytest.fixture(scope="module")
def open_report(report: Path) -> Iterator[Open]:
    with ExitStack() as stack:
        browser = browsing.launch(stack)

        def open_one(**options: Any) -> browsing.Window:
            context = browser.new_context(**options)
            stack.callback(context.close)
            window = browsing.Window(context.new_page())
            window.page.goto(report.as_uri())
            window.page.evaluate(UNFOLD)
            return window

        yield open_one


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
def test_axe_finds_no_violation(open_report: Open, size: dict[str, int], scheme: str) -> None:
    assert open_report(viewport=size, color_scheme=scheme).violations(browsing.axe_source()) == []


def test_nothing_is_cut_off_on_a_phone(open_report: Open) -> None:
    window = open_report(viewport=PHONE)
    assert window.overflow_px() <= 0
    for part in (".split .count", ".split .lane", ".split .name"):
        box = window.page.locator(part).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    assert window.problems == []


def test_the_keyboard_reaches_a_text_that_is_wider_than_the_window(open_report: Open) -> None:
    page = open_report(viewport=PHONE).page
    yaml = page.locator("pre").first
    assert yaml.evaluate("each => each.scrollWidth > each.clientWidth")
    page.locator("summary", has_text="YAML applied").first.focus()
    page.keyboard.press("Tab")
    expect(yaml).to_be_focused()

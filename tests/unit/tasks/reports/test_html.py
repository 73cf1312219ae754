from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.unit.tasks import sample

from bookmesh.tasks.reports import html


def page(*outcomes: str) -> str:
    results = [sample.result(outcome, key=f"t/{number}") for number, outcome in enumerate(outcomes)]
    return html.build_page(results, took_s=6.0, target="the lab <x>", when="2026-01-01 12:00")


class Balance(HTMLParser):
    """Notes tags that are not closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """A tag that closes itself opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_is_well_formed() -> None:
    parser = Balance()
    parser.feed(page("passed", "failed", "broken"))
    assert (parser.open, parser.wrong) == ([], [])


def test_the_page_needs_nothing_but_itself() -> None:
    text = page("passed", "failed")
    assert "<script" not in text
    assert not re.search(r"src=|@import|url\(|<link", text)


def test_what_failed_comes_first_and_opened() -> None:
    text = page("passed", "failed")
    assert "<h1>1 of 2 tasks did not pass</h1>" in text
    assert text.index('id="t/1"') < text.index('id="t/0"')
    assert "<details open>" in text
    assert "<h1>The task did not pass</h1>" in page("failed")


def test_yaml_requests_and_charts_are_in_it_and_escaped() -> None:
    text = page("passed")
    assert '<span class="k">kind</span>: A # &lt;x&gt;' in text
    assert "&lt;b&gt;hello&lt;/b&gt;" in text
    assert "half &lt;each&gt;" in text
    assert "the lab &lt;x&gt;" in text
    assert 'class="split"' in text
    assert "prefers-color-scheme: dark" in text


def test_what_went_wrong_has_its_code_place_and_advice() -> None:
    text = page("failed")
    assert "<b>BM0404</b>" in text
    assert "<dt>where</dt><dd>tasks/traffic/shift/task.yaml:9  steps[0].expect[0]</dd>" in text
    assert "<dt>hint</dt><dd>more requests</dd>" in text


def test_where_the_time_went_is_told_for_several_tasks() -> None:
    text = page("passed", "passed")
    assert '<tr><th scope="row">waiting for pods</th><td class="number">0.8 s</td>' in text
    assert '<a href="#t/1">t/1</a></th><td>passed</td>' in text
    assert "Where the time" not in page("passed")


def test_pictures_are_told_in_words_and_tables_have_headers() -> None:
    text = page("passed", "failed")
    pictures = re.findall(r'<svg [^>]*>|<div class="split"[^>]*>', text)
    assert {re.search(r'role="(\w+)"', tag)[1] for tag in pictures} == {"img", "group"}  # type: ignore[index]
    assert all("aria-label=" in tag for tag in pictures)
    assert all("<th" in table for table in re.findall(r"<table.*?</table>", text, re.DOTALL))

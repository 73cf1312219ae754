"""Small charts as inline SVG: the bars of a split with their allowed ranges, and the timeline of a run."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bookmesh.tasks.records import Bar, Result

_ROW, _LEFT, _WIDTH, _RIGHT = 26, 112, 360, 168


def split(bars: Sequence[Bar]) -> str:
    """Draw one row an answer: how often it was seen, over the range of counts that is allowed."""
    n = max(1, sum(bar.seen for bar in bars))
    height = _ROW * len(bars) + 22
    rows = "".join(_bar(bar, n, index * _ROW) for index, bar in enumerate(bars))
    axis = height - 16
    marks = "".join(
        f'<text class="axis" x="{_LEFT + share * _WIDTH:g}" y="{height - 2}" text-anchor="middle">{share:.0%}</text>'
        f'<line class="grid" x1="{_LEFT + share * _WIDTH:g}" x2="{_LEFT + share * _WIDTH:g}" y1="0" y2="{axis}"/>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    told = ", ".join(f"{bar.name}: {bar.seen}, allowed {bar.low} to {bar.high}" for bar in bars)
    size = f'width="{_LEFT + _WIDTH + _RIGHT}" height="{height}"'
    box = f'viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {height}"'
    return f'<svg class="split" {size} {box} role="img" aria-label="{html.escape(told)}">{marks}{rows}</svg>'


def _bar(bar: Bar, n: int, y: int) -> str:
    scale = _WIDTH / n
    low, high = bar.low * scale, min(bar.high, n) * scale
    holds = bar.low <= bar.seen <= bar.high
    kind = "good" if holds else "bad"
    range_width = max(high - low, 3.0)
    allowed = f"{bar.low}…{bar.high}" if bar.low != bar.high else f"{bar.low}"
    name = html.escape(bar.name if len(bar.name) <= 16 else f"{bar.name[:15]}…")
    return (
        f'<text class="name" x="{_LEFT - 10}" y="{y + 17}" text-anchor="end">{name}</text>'
        f'<rect class="track" x="{_LEFT}" y="{y + 4}" width="{_WIDTH}" height="18" rx="3"/>'
        f'<rect class="{kind}" x="{_LEFT}" y="{y + 8}" width="{bar.seen * scale:.1f}" height="10" rx="2"/>'
        f'<rect class="range" x="{_LEFT + low:.1f}" y="{y + 4}" width="{range_width:.1f}" height="18" rx="2"/>'
        f'<text class="count" x="{_LEFT + _WIDTH + 10}" y="{y + 17}"><tspan class="seen">{bar.seen}</tspan>'
        f'<tspan class="axis"> allowed {allowed}</tspan></text>'
    )


def timeline(results: Sequence[Result], took_s: float) -> str:
    """Draw one row a task, its steps one after another; the last, hatched part is cleaning up."""
    left, width, row = 200, 720, 24
    total_s = max(took_s, 0.001)
    scale = width / total_s
    height = row * len(results) + 24
    parts = []
    for tick in _ticks(total_s):
        x = left + tick * scale
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 18}"/>'
            f'<text class="axis" x="{x:.1f}" y="{height - 4}" text-anchor="middle">{tick:g} s</text>'
        )
    for index, result in enumerate(results):
        parts.append(_lane(result, index * row, left=left, scale=scale))
    body = "".join(parts)
    return (
        f'<svg class="timeline" viewBox="0 0 {left + width + 24} {height}" role="group" '
        f'aria-label="When each task ran">{body}</svg>'
    )


def _lane(result: Result, y: int, *, left: int, scale: float) -> str:
    def block(at_s: float, took_s: float, css: str, title: str) -> str:
        x = left + (result.began_at_s + at_s) * scale
        wide = max(took_s * scale - 1.5, 1)
        return (
            f'<rect class="{css}" x="{x:.1f}" y="{y + 4}" width="{wide:.1f}" height="14" rx="2">'
            f"<title>{html.escape(title)}: {took_s:.1f} s</title></rect>"
        )

    name = html.escape(result.key.rpartition("/")[2])
    blocks = [block(0.0, result.took_s, "track", result.key)]
    for step in result.steps:
        css = "good" if step.outcome == "passed" else "bad"
        blocks.append(block(step.at_s, step.took_s, css, step.name))
    blocks.append(block(result.took_s - result.cleaned_s, result.cleaned_s, "cleaning", "cleaning up"))
    return (
        f'<a href="#{html.escape(result.key)}"><text class="name" x="{left - 12}" y="{y + 15}" '
        f'text-anchor="end">{name}</text></a>{"".join(blocks)}'
    )


def _ticks(total_s: float) -> list[float]:
    """Round marks, at most about eight."""
    step = next((size for size in (0.5, 1, 2, 5, 10, 20, 60, 120, 300) if total_s / size <= 8), 600)
    return [step * index for index in range(int(total_s / step) + 1)]

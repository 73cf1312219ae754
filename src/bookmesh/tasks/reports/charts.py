"""Small charts as inline SVG: the bars of a split with their allowed ranges, and the timeline of a run."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bookmesh.tasks.records import Bar, Result

_ROW, _WIDTH, _RIGHT = 26, 360, 168
_LONGEST_NAME = 44
_CHARACTER = 7.2  # the width of one, at most


def split(bars: Sequence[Bar]) -> str:
    """Draw one row an answer: how often it was seen, over the range of counts that is allowed."""
    n = max(1, sum(bar.seen for bar in bars))
    left = _column([bar.name for bar in bars], least=112)
    height = _ROW * len(bars) + 22
    rows = "".join(_bar(bar, n, index * _ROW, left=left) for index, bar in enumerate(bars))
    axis = height - 16
    marks = "".join(
        f'<text class="axis" x="{left + share * _WIDTH:g}" y="{height - 2}" text-anchor="middle">{share:.0%}</text>'
        f'<line class="grid" x1="{left + share * _WIDTH:g}" x2="{left + share * _WIDTH:g}" y1="0" y2="{axis}"/>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    told = ", ".join(f"{bar.name}: {bar.seen}, allowed {bar.low} to {bar.high}" for bar in bars)
    size = f'width="{left + _WIDTH + _RIGHT}" height="{height}"'
    box = f'viewBox="0 0 {left + _WIDTH + _RIGHT} {height}"'
    return f'<svg class="split" {size} {box} role="img" aria-label="{html.escape(told)}">{marks}{rows}</svg>'


def _bar(bar: Bar, n: int, y: int, *, left: int) -> str:
    scale = _WIDTH / n
    low, high = bar.low * scale, min(bar.high, n) * scale
    holds = bar.low <= bar.seen <= bar.high
    kind = "good" if holds else "bad"
    range_width = max(high - low, 3.0)
    allowed = f"{bar.low}…{bar.high}" if bar.low != bar.high else f"{bar.low}"
    name = html.escape(_cut(bar.name))
    return (
        f'<text class="name" x="{left - 10}" y="{y + 17}" text-anchor="end">{name}</text>'
        f'<rect class="track" x="{left}" y="{y + 4}" width="{_WIDTH}" height="18" rx="3"/>'
        f'<rect class="{kind}" x="{left}" y="{y + 8}" width="{bar.seen * scale:.1f}" height="10" rx="2"/>'
        f'<rect class="range" x="{left + low:.1f}" y="{y + 4}" width="{range_width:.1f}" height="18" rx="2"/>'
        f'<text class="count" x="{left + _WIDTH + 10}" y="{y + 17}"><tspan class="seen">{bar.seen}</tspan>'
        f'<tspan class="axis"> allowed {allowed}</tspan></text>'
    )


def timeline(results: Sequence[Result], took_s: float) -> str:
    """Draw one row a task, its steps one after another; the last, hatched part is cleaning up."""
    names = short_names([result.key for result in results])
    left, width, row = _column(list(names.values()), least=120), 720, 24
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
        parts.append(_lane(result, names[result.key], index * row, left=left, scale=scale))
    body = "".join(parts)
    return (
        f'<svg class="timeline" viewBox="0 0 {left + width + 24} {height}" role="group" '
        f'aria-label="When each task ran">{body}</svg>'
    )


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """
    The end of each key that no other key has, as `ingress/gateway-api`: without the area, and two folders where there
    are more.
    """
    found: dict[str, str] = {}
    for key in keys:
        parts = key.split("/")
        ends = ["/".join(parts[-count:]) for count in range(min(2, max(1, len(parts) - 1)), len(parts) + 1)]
        others = [f"/{other}" for other in keys if other != key]
        found[key] = next(
            (end for end in ends if not any(other.endswith(f"/{end}") for other in others)), key
        )
    return found


def _column(names: Sequence[str], *, least: int) -> int:
    """How wide a column of names is, with the space after it."""
    longest = max((len(_cut(name)) for name in names), default=0)
    return max(least, round(longest * _CHARACTER) + 16)


def _cut(name: str) -> str:
    """A name without its middle where it is too long: what tells names apart is at their ends."""
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"


def _lane(result: Result, name: str, y: int, *, left: int, scale: float) -> str:
    def block(at_s: float, took_s: float, css: str, title: str) -> str:
        x = left + (result.began_at_s + at_s) * scale
        wide = max(took_s * scale - 1.5, 1)
        return (
            f'<rect class="{css}" x="{x:.1f}" y="{y + 4}" width="{wide:.1f}" height="14" rx="2">'
            f"<title>{html.escape(title)}: {took_s:.1f} s</title></rect>"
        )

    blocks = [block(0.0, result.took_s, "track", result.key)]
    for step in result.steps:
        css = "good" if step.outcome == "passed" else "bad"
        blocks.append(block(step.at_s, step.took_s, css, step.name))
    blocks.append(block(result.took_s - result.cleaned_s, result.cleaned_s, "cleaning", "cleaning up"))
    return (
        f'<a href="#{html.escape(result.key)}"><text class="name" x="{left - 12}" y="{y + 15}" '
        f'text-anchor="end">{html.escape(_cut(name))}<title>{html.escape(result.key)}</title></text></a>'
        f"{''.join(blocks)}"
    )


def _ticks(total_s: float) -> list[float]:
    """Round marks, at most about eight."""
    step = next((size for size in (0.5, 1, 2, 5, 10, 20, 60, 120, 300) if total_s / size <= 8), 600)
    return [step * index for index in range(int(total_s / step) + 1)]

"""Small charts: the bars of a split with their allowed ranges, and the timeline of a run as inline SVG."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bookmesh.tasks.records import Bar, Result

_LONGEST_NAME = 44
_CHARACTER = 7.2  # the width of one, at most


def split(bars: Sequence[Bar]) -> str:
    """
    Draw one row an answer: how often it was seen, over the range of counts that is allowed.

    Boxes and no SVG: where the window is narrow, the bar moves below its name and keeps the whole width.
    """
    n = max(1, sum(bar.seen for bar in bars))
    rows = "".join(_bar(bar, n) for bar in bars)
    marks = "".join(f'<span style="left:{share}%">{share}%</span>' for share in (0, 25, 50, 75, 100))
    told = ", ".join(f"{bar.name}: {bar.seen}, allowed {bar.low} to {bar.high}" for bar in bars)
    return (
        f'<div class="split" role="img" aria-label="{html.escape(told)}">'
        f'{rows}<span class="scale">{marks}</span></div>'
    )


def _bar(bar: Bar, n: int) -> str:
    low, high = (100 * min(count, n) / n for count in (bar.low, bar.high))
    kind = "good" if bar.low <= bar.seen <= bar.high else "bad"
    allowed = f"{bar.low}…{bar.high}" if bar.low != bar.high else f"{bar.low}"
    return (
        f'<span class="name">{html.escape(_cut(bar.name))}</span>'
        f'<span class="lane"><i class="{kind}" style="width:{100 * bar.seen / n:.1f}%"></i>'
        f'<i class="range" style="left:{low:.1f}%;width:{max(high - low, 0.8):.1f}%"></i></span>'
        f'<span class="count"><b>{bar.seen}</b> allowed {allowed}</span>'
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

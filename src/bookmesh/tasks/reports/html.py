"""One self-contained HTML page: no script, no request to anywhere; light and dark as the reader's system is."""

from __future__ import annotations

import html
import importlib.resources
import re
from collections.abc import Sequence

from bookmesh.base.findings import Finding
from bookmesh.tasks.records import Attempt, ExpectationResult, Result, StepResult
from bookmesh.tasks.reports import charts, text, timing

_BODY_SHOWN = 300
_TEXT_SHOWN = 4000
_KEY = re.compile(r"^(\s*(?:- )?(?:\{)?)([A-Za-z0-9_.$/-]+)(:)(?=\s|$)")


def build_page(results: Sequence[Result], *, took_s: float, target: str, when: str) -> str:
    """
    Build the page.

    Args:
        when: when it began, as people read it.
    """
    css = importlib.resources.files(__package__).joinpath("report.css").read_text()
    failed = [result for result in results if result.outcome != "passed"]
    title = _title(len(results), len(failed))
    ordered = [*failed, *[result for result in results if result.outcome == "passed"]]
    articles = "".join(_article(result, opened=bool(failed) or len(results) == 1) for result in ordered)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Bookmesh</title>
<style>
{css}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="lead">Against {_text(target)}, {_text(when)}. Each expectation was checked before its step, when it had
to fail (unless it says otherwise), and again after the step until it held.</p>
{_figures(results, took_s)}
<section class="box"><h2>When each task ran</h2>{charts.timeline(results, took_s)}{_times(results)}</section>
{articles}
<footer>Written by bookmesh. In the timeline, grey at the end of a row is cleaning up. In a chart, the bar is what was
seen and the frame is what chance allows.</footer>
</main>
</body>
</html>
"""


def _title(tasks: int, failed: int) -> str:
    if tasks == 1:
        return "The task did not pass" if failed else "The task passed"
    if failed:
        return f"{failed} of {tasks} tasks did not pass"
    return f"All {tasks} tasks passed"


def _figures(results: Sequence[Result], took_s: float) -> str:
    passed = sum(1 for result in results if result.outcome == "passed")
    wrong = len(results) - passed
    expectations = sum(len(step.expectations) for result in results for step in result.steps)
    figures = [
        (str(passed), "passed", "good-text"),
        (str(wrong), "not passed", "bad-text" if wrong else ""),
        (str(expectations), "expectations", ""),
        (str(sum(result.checks for result in results)), "checks held", ""),
        (f"{took_s:.1f} s", "together", ""),
    ]
    items = "".join(
        f'<li><b class="{css}">{value}</b><span>{label}</span></li>' for value, label, css in figures
    )
    return f'<ul class="figures">{items}</ul>'


def _times(results: Sequence[Result]) -> str:
    """Where the time went and the timeline in figures; nothing for a single task."""
    if len(results) < 2:
        return ""
    sums = timing.sums(results)
    longest_s = max(*sums.values(), 0.001)
    rows = "".join(
        f'<tr><th scope="row">{what}</th><td class="number">{spent_s:.1f} s</td>'
        f'<td class="bar"><i style="width:{100 * spent_s / longest_s:.1f}%"></i></td></tr>'
        for what, spent_s in sums.items()
    )
    slowest = "".join(
        f'<tr><td class="number">{step.took_s:.1f} s</td><th scope="row"><a href="#{html.escape(key)}">'
        f"{_text(key.rpartition('/')[2])}</a>: {_text(step.name)}</th></tr>"
        for key, step in timing.slowest(results)
    )
    tasks = "".join(
        f'<tr><th scope="row"><a href="#{html.escape(each.key)}">{_text(each.key)}</a></th><td>{each.outcome}</td>'
        f'<td class="number">{each.began_at_s:.1f} s</td><td class="number">{each.took_s:.1f} s</td></tr>'
        for each in results
    )
    return (
        '<div class="columns"><table class="times"><caption>Where the time of all tasks went</caption>'
        f'{rows}</table><table class="times"><caption>Slowest steps</caption>{slowest}</table></div>'
        '<details><summary>in figures</summary><table class="times"><tr><th scope="col">task</th>'
        '<th scope="col">outcome</th><th scope="col">began at</th><th scope="col">took</th></tr>'
        f"{tasks}</table></details>"
    )


def _article(result: Result, *, opened: bool) -> str:
    page = f' · <a href="{html.escape(result.page)}">Istio\'s page</a>' if result.page else ""
    css = {"passed": "good-text", "failed": "bad-text", "broken": "broken-text"}[result.outcome]
    message = "".join(_finding(finding) for finding in result.findings)
    steps = "".join(_step(step) for step in result.steps)
    shown = " open" if opened else ""
    count = f"{text.counted(len(result.steps), 'step')}, {text.counted(result.checks, 'check')}"
    return f"""<article class="{result.outcome}" id="{html.escape(result.key)}">
<header class="task"><h2>{_text(result.title)}</h2><span class="took">{result.took_s:.1f} s</span>
<span class="badge {css}">{result.outcome}</span></header>
<div class="key">{_text(result.key)}{page} · namespace {_text(result.namespace)}</div>
<p>{_text(result.summary.strip())}</p>{message}
<details{shown}><summary>{count}</summary><ol class="steps">{steps}</ol></details>
</article>
"""


def _finding(finding: Finding) -> str:
    rows = "".join(
        f"<dt>{label}</dt><dd>{_text(text)}</dd>"
        for label, text in (("where", finding.where), ("known", finding.known), ("hint", finding.hint))
        if text
    )
    return (
        f'<div class="message"><b>{finding.code}</b> <span class="told">{_text(finding.message)}</span>'
        f'<dl class="finding">{rows}</dl></div>'
    )


def _step(step: StepResult) -> str:
    expectations = "".join(_expectation(each) for each in step.expectations)
    label = {"apply": "YAML applied", "delete": "deleted"}.get(step.action, step.action)
    detail = _folded(label, _yaml(step.detail)) if step.detail else ""
    output = _folded("output", _text(step.output[:_TEXT_SHOWN])) if step.output else ""
    has_own = step.finding and all(each.finding is None for each in step.expectations)
    message = f'<p class="message">{_text(step.message)}</p>' if has_own else ""
    return (
        f'<li class="{step.outcome}"><div class="step"><b>{_text(step.name)}</b>'
        f'<span class="took">{step.took_s:.1f} s</span></div>{message}{detail}{output}'
        f'<ul class="expect">{expectations}</ul></li>'
    )


def _folded(label: str, body: str) -> str:
    """A text that opens on demand; where it is wider than the window, the keyboard can move it too."""
    pre = f'<pre tabindex="0" role="group" aria-label="{html.escape(label)}">{body}</pre>'
    return f"<details><summary>{_text(label)}</summary>{pre}</details>"


def _expectation(result: ExpectationResult) -> str:
    rows = ""
    if result.before:
        rows += _row("before the step", "before", result.before)
    if result.after:
        tries = f", try {result.attempts}" if result.attempts > 1 else ""
        rows += _row(f"after it{tries}", "after", result.after)
    decisive = result.after or result.before
    verdicts = decisive.verdicts if decisive else ()
    chart = "".join(charts.split(verdict.bars) for verdict in verdicts if verdict.bars)
    requests = "".join(
        _exchanges(label, attempt)
        for label, attempt in (("before", result.before), ("after", result.after))
        if attempt
    )
    return (
        f'<li class="{result.outcome}"><b>{_text(result.name)}</b><div class="probe">{_text(result.probe)}</div>'
        f'<table class="shown">{rows}</table>{chart}{requests}</li>'
    )


def _row(label: str, css: str, attempt: Attempt) -> str:
    lines = "".join(
        f'<div class="{"ok" if verdict.holds else "no"}">{_text(verdict.text)}</div>'
        for verdict in attempt.verdicts
    )
    return f'<tr class="{css}"><th scope="row">{label}</th><td>{lines}</td></tr>'


def _exchanges(label: str, attempt: Attempt) -> str:
    seen = attempt.observation
    if not seen.exchanges:
        shown = seen.text.strip()[-_TEXT_SHOWN:]
        return _folded(f"what was seen {label}", _text(shown)) if shown else ""
    rows = "".join(
        f"<tr><td>{each.status or '—'}</td><td>{each.took_s * 1000:.0f} ms</td>"
        f"<td>{_text(each.error or ' '.join(each.body.split())[:_BODY_SHOWN])}</td></tr>"
        for each in seen.exchanges
    )
    first = seen.exchanges[0]
    cut = f" (the first {len(seen.exchanges)} of {seen.made})" if seen.made > len(seen.exchanges) else ""
    return (
        f"<details><summary>requests {label}: {_text(first.method)} {_text(first.url)}{cut}</summary>"
        f'<table class="http"><tr><th>status</th><th>took</th><th>body</th></tr>{rows}</table></details>'
    )


def _yaml(text: str) -> str:
    """Mark keys and comments."""
    lines = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            lines.append(f'<span class="c">{_text(line)}</span>')
        elif match := _KEY.match(line):
            rest = _text(line[match.end() :])
            lines.append(f'{_text(match[1])}<span class="k">{_text(match[2])}</span>:{rest}')
        else:
            lines.append(_text(line))
    return "\n".join(lines)


def _text(text: str) -> str:
    return html.escape(text, quote=False)

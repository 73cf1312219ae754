"""
Requests from a pod: curl's configuration out of a request, exchanges out of what curl printed. Pure.

All n requests are one curl process, so one `kubectl exec`; a random mark after each answer tells them apart.
"""

from __future__ import annotations

from typing import Final

from bookmesh.base import durations
from bookmesh.tasks import format as formats
from bookmesh.tasks.records import Exchange

COMMAND: Final = ("curl", "-K", "-")
_FACTS: Final = "%{http_code} %{time_total} %{exitcode} %{errormsg}"


def build_config(request: formats.Request, mark: str) -> str:
    """
    Build what `curl -K -` reads from its standard input.

    With concurrency bodies are thrown away: curl would mix them.
    """
    options = [
        "silent",
        "globoff",
        f"request = {_quote(request.method)}" if request.method != "HEAD" else "head",
        f"max-time = {durations.parse_duration_s(request.timeout):g}",
        f"write-out = {_quote(f'{chr(10)}{mark} {_FACTS}{chr(10)}')}",
        *[f"header = {_quote(f'{name}: {value}')}" for name, value in request.headers.items()],
    ]
    if request.body:
        options.append(f"data-raw = {_quote(request.body)}")
    if request.concurrency > 1:
        options += ["parallel", "parallel-immediate", f"parallel-max = {request.concurrency}"]
    else:
        options.append("include")
    for _ in range(request.n):
        options.append(f"url = {_quote(request.url)}")
        if request.concurrency > 1:
            options.append('output = "/dev/null"')
    return "\n".join(options) + "\n"


def parse_output(output: str, mark: str, request: formats.Request) -> tuple[Exchange, ...]:
    """Take the exchanges out of curl's output, in the order in which they ended."""
    exchanges = []
    for answer, facts in _split(output, mark):
        code, took, exit_code, *message = facts.split(" ", 3)
        head, body = _take_heads(answer)
        failed = exit_code != "0"
        exchanges.append(
            Exchange(
                method=request.method,
                url=request.url,
                status=0 if failed else int(code),
                took_s=float(took),
                headers=_headers(head),
                body=body,
                error=f"curl exit code {exit_code}: {message[0] if message else ''}" if failed else "",
            )
        )
    return tuple(exchanges)


def _split(output: str, mark: str) -> list[tuple[str, str]]:
    """Pair each answer with the line of facts after it."""
    pairs: list[tuple[str, str]] = []
    rest = output
    while True:
        answer, found, rest = rest.partition(f"\n{mark} ")
        if not found:
            return pairs
        facts, _, rest = rest.partition("\n")
        pairs.append((answer, facts))


def _take_heads(answer: str) -> tuple[str, str]:
    """Separate the last header block (after 100 Continue, say) from the body."""
    head, body = "", answer
    while body.startswith("HTTP/"):
        blank = "\r\n\r\n" if "\r\n\r\n" in body else "\n\n"
        head, _, body = body.partition(blank)
    return head, body


def _headers(head: str) -> dict[str, str]:
    pairs = [line.partition(":") for line in head.splitlines()[1:]]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _quote(text: str) -> str:
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(character, escape)
    return f'"{text}"'

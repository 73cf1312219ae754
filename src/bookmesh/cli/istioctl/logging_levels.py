"""Levels of Envoy's loggers: what `proxy-config log --level` asks for as queries of Envoy's `logging`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import click

KNOWN: Final = ("trace", "debug", "info", "warning", "error", "critical", "off")
_SIGN: Final = re.compile(r"[:=]")


def queries_for(levels: str) -> list[str]:
    """
    Queries for `LEVEL` or `LOGGER:LEVEL,…`, the one for all loggers first; without any, one that changes nothing.

    Raises:
        ClickException: a level that Envoy does not have.
    """
    general, single = [], []
    for part in filter(None, levels.split(",")):
        *logger, level = _SIGN.split(part.rpartition("::")[2], maxsplit=1)
        level = "warning" if level == "warn" else level
        if level not in KNOWN:
            raise click.ClickException(f'unrecognized logging level: "{level}"; known: {", ".join(KNOWN)}')
        if logger and logger != ["level"]:
            single.append(f"?{logger[0]}={level}")
        else:
            general.append(f"?level={level}")
    return [*general[-1:], *single] or [""]


def check_loggers(queries: Iterable[str], answer: str) -> None:
    """
    See that the loggers of queries are there; `answer` is Envoy's list of loggers.

    Raises:
        ClickException: there is no such logger.
    """
    known = {line.partition(":")[0].strip() for line in answer.splitlines() if line.startswith("  ")}
    for query in queries:
        name = query.removeprefix("?").partition("=")[0]
        if name not in known | {"level"}:
            raise click.ClickException(f"unrecognized logger name: {name}")

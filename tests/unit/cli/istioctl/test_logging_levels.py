from __future__ import annotations

import click
import pytest

from bookmesh.cli.istioctl import logging_levels


@pytest.mark.parametrize(
    ("levels", "queries"),
    [
        ("", [""]),
        ("debug", ["?level=debug"]),
        ("rbac:debug,warn", ["?level=warning", "?rbac=debug"]),
        ("rbac=info", ["?rbac=info"]),
        ("ns::http:off,level:error", ["?level=error", "?http=off"]),
    ],
)
def test_levels_become_queries_the_general_one_first(levels: str, queries: list[str]) -> None:
    assert logging_levels.queries_for(levels) == queries


def test_levels_and_loggers_that_are_not_there() -> None:
    with pytest.raises(click.ClickException, match='unrecognized logging level: "loud"; known: trace'):
        logging_levels.queries_for("rbac:loud")
    answer = "active loggers:\n  rbac: warning\n"
    logging_levels.check_loggers(["?rbac=debug", "?level=info"], answer)
    with pytest.raises(click.ClickException, match="unrecognized logger name: nobody"):
        logging_levels.check_loggers(["?nobody=debug"], answer)

"""Run a command line of istioctl against a table of kubectl's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import command

Run = Callable[..., tuple[Result, small_dumps.FakeKubectl]]


@pytest.fixture
def istioctl() -> Run:
    def run(*arguments: str, answers: dict[str, Any] | None = None, text: str | None = None) -> Any:
        session = small_dumps.FakeSession(answers or {})
        result = CliRunner().invoke(
            command.istioctl, arguments, obj=session, input=text, prog_name="istioctl"
        )
        return result, session.fake

    return run

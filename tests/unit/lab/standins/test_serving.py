from __future__ import annotations

import pytest

from bookmesh.lab.standins import serving


def parse(*argv: str, **variables: str) -> int:
    return serving.parse_port(argv, variables, program="httpbin", default=8080)


def test_argument_wins_over_variable_and_variable_over_default() -> None:
    assert parse() == 8080
    assert parse(PORT="80") == 80
    assert parse("--port", "81", PORT="80") == 81


@pytest.mark.parametrize(
    ("argv", "variables", "named"),
    [(["--port", "x"], {}, "--port is 'x'"), ([], {"PORT": "99999"}, "environment variable PORT is '99999'")],
)
def test_wrong_port_is_misuse_and_named(
    argv: list[str], variables: dict[str, str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(*argv, **variables)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err

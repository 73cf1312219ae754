from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bookinfo import main
from bookinfo.service import lifecycle


@pytest.mark.parametrize(
    ("service", "variable", "value"),
    [
        ("productpage", "DETAILS_SERVICE_PORT", "nine"),
        ("productpage", "FLOOD_FACTOR", "many"),
        ("productpage", "SESSION_SECRET", "short"),
        ("reviews", "ENABLE_RATINGS", "perhaps"),
        ("reviews", "STAR_COLOR", "red; }"),
        ("ratings", "PORT", "http"),
        ("ratings", "SERVICE_VERSION", "v2"),
        ("details", "ENABLE_EXTERNAL_BOOK_SERVICE", "perhaps"),
    ],
)
def test_wrong_setting_stops_with_one_line_that_names_it(
    service: str,
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(lifecycle, "run", lambda *_arguments: pytest.fail("it starts"))
    with pytest.raises(SystemExit) as stopped:
        main.main([service])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"bookinfo {service}: environment variable {variable} is ")
    assert message.count("\n") == 1


def test_secret_is_not_shown_in_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSION_SECRET", "hush")
    with pytest.raises(SystemExit):
        main.main(["productpage"])
    assert "hush" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv", [[], ["cashier"], ["ratings", "--port", "65536"], ["ratings", "--port", "x"]]
)
def test_wrong_argument_is_misuse(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.main(argv)
    assert stopped.value.code == 2
    assert "usage: bookinfo" in capsys.readouterr().err


def test_preloading_starts_nothing_and_reads_no_environment() -> None:
    """Processes are forked from one that has imported these modules; a thread or a socket would not survive that."""
    code = (
        "import os, threading\n"
        "before = set(os.listdir('/proc/self/fd'))\n"
        "import bookinfo.preload\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert len(os.listdir('/proc/self/task')) == 1\n"
        "assert set(os.listdir('/proc/self/fd')) == before, os.listdir('/proc/self/fd')\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PORT": "nonsense",
        "LOG_FORMAT": "nonsense",
        "STAR_COLOR": "!",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("argv", [["ratings", "--reviews", "v1"], ["details", "--ratings", "v1"]])
def test_versions_are_for_all_services_together(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.main(argv)
    assert stopped.value.code == 2
    assert "go with all" in capsys.readouterr().err


def test_services_load_nothing_that_they_do_not_use() -> None:
    """Memory and time to start are those of every pod."""
    code = (
        "import sys, bookinfo.preload\n"
        "unused = {'aiohttp', 'starlette', 'uvicorn', 'sqlite3'} & set(sys.modules)\n"
        "assert not unused, unused\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")

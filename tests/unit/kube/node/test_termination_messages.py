"""What a container leaves behind about its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bookmesh.kube.node import termination_messages
from bookmesh.kube.node.termination_messages import TerminationMessage

LOG = "2026-08-01T12:00:00.000000000Z stdout F one\n2026-08-01T12:00:00.000000001Z stderr F two words\n"


def _left(tmp_path: Path, written: bytes | None, *, code: int, **container: Any) -> str:
    file, log = tmp_path / "0.end", tmp_path / "0.log"
    log.write_text(LOG)
    message = TerminationMessage({"name": "c", **container}, file)
    message.mount()
    if written is not None:
        file.write_bytes(written)
    return message.take(code=code, log=log)


def test_the_file_is_seen_where_the_container_wants_it(tmp_path: Path) -> None:
    usual = TerminationMessage({"name": "c"}, tmp_path / "a").mount()
    assert (usual.source, usual.target) == (str(tmp_path / "a"), "/dev/termination-log")
    assert TerminationMessage({"terminationMessagePath": "/x"}, tmp_path / "a").mount().target == "/x"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize(
    ("written", "code", "policy", "message"),
    [
        (b"why", 1, "File", "why"),
        (b"why", 1, "FallbackToLogsOnError", "why"),
        (b"", 1, "FallbackToLogsOnError", "one\ntwo words\n"),
        (b"", 0, "FallbackToLogsOnError", ""),
        (b"", 1, "File", ""),
        (b"x" * 5000, 1, "File", "x" * 4096),
    ],
)
def test_what_was_written_or_logged(
    tmp_path: Path, written: bytes, code: int, policy: str, message: str
) -> None:
    assert _left(tmp_path, written, code=code, terminationMessagePolicy=policy) == message
    assert not (tmp_path / "0.end").exists()


def test_a_file_that_is_gone_says_nothing(tmp_path: Path) -> None:
    assert TerminationMessage({}, tmp_path / "gone").take(code=1, log=tmp_path / "log") == ""


def test_of_a_long_log_the_end_is_kept() -> None:
    log = "".join(f"t stdout F line {number}\n" for number in range(200))
    lines = termination_messages.last_lines(log).splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("line 120", "line 199", 80)

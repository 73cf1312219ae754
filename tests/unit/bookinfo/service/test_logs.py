from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from bookinfo.service import logs, settings


def configure(**variables: str) -> None:
    logs.configure(settings.read(settings.Environment(variables), "ratings", host=None, port=None))


def test_line_is_json_with_trace_id_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure(SERVICE_VERSION="v1", HOSTNAME="ratings-v1-x")
    token = logs.TRACE_ID.set("abc")
    try:
        logging.getLogger("bookinfo.test").info('say "%s"', "hi\nthere", extra={logs.FIELDS: {"status": 200}})
    finally:
        logs.TRACE_ID.reset(token)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    line = json.loads(out)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "service": "ratings",
        "version": "v1",
        "pod": "ratings-v1-x",
        "message": 'say "hi\nthere"',
        "trace_id": "abc",
        "status": 200,
    }


def test_exception_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("bookinfo.test").exception("failed")
    assert "ValueError: broken" in json.loads(capsys.readouterr().out)["error"]


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LOG_FORMAT="text")
    logging.getLogger("bookinfo.test").warning("careful", extra={logs.FIELDS: {"status": 503}})
    assert capsys.readouterr().out.endswith(" warning careful status=503\n")


def test_log_dir_is_made_and_gets_every_line(tmp_path: Path) -> None:
    configure(LOG_DIR=str(tmp_path / "a" / "b"))
    logging.getLogger("bookinfo.test").info("kept")
    assert json.loads((tmp_path / "a" / "b" / "ratings.log").read_text())["message"] == "kept"


def test_log_dir_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(settings.SettingError, match="environment variable LOG_DIR is "):
        configure(LOG_DIR=str(tmp_path / "file"))

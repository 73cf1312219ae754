from __future__ import annotations

import asyncio
import json
import logging
import threading
from pathlib import Path

import pytest

from bookinfo.service import logs, settings
from bookinfo.service.requests import Request


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


def access(level: int = logging.INFO, **variables: str) -> logs.AccessLog:
    configure(**variables)
    return logs.AccessLog(
        settings.read(settings.Environment(variables), "ratings", host=None, port=None), level
    )


def asked(path: str = "/", request_id: bytes | None = None) -> Request:
    return Request("GET", path, headers=[(b"x-request-id", request_id)] if request_id else [])


async def test_line_about_a_request_is_like_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    log = access(SERVICE_VERSION="v1", HOSTNAME="ratings-v1-x")
    token = logs.TRACE_ID.set("abc")
    try:
        log.write(asked('/"\u20ac', b"r-\xe9"), 200, 48, 0.0012345)
        logs.OUTPUT.flush()
    finally:
        logs.TRACE_ID.reset(token)
    line = json.loads(capsys.readouterr().out)
    time = line.pop("time")
    assert (len(time), time[10], time[19], time[23:]) == (29, "T", ".", "+00:00")
    assert line == {
        "level": "info",
        "service": "ratings",
        "version": "v1",
        "pod": "ratings-v1-x",
        "message": "request",
        "trace_id": "abc",
        "method": "GET",
        "path": '/"\u20ac',
        "status": 200,
        "bytes": 48,
        "duration_ms": 1.234,
        "request_id": "r-\xe9",
    }


async def test_line_about_a_request_leaves_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    access().write(asked(), 200, 48, 0.001)
    logs.OUTPUT.flush()
    assert not {"trace_id", "request_id"} & json.loads(capsys.readouterr().out).keys()


async def test_line_about_a_request_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    access(LOG_FORMAT="text").write(asked("/x", b"r-1"), 404, 9, 0.001)
    logs.OUTPUT.flush()
    assert capsys.readouterr().out.endswith(
        " info    request method=GET path=/x status=404 bytes=9 duration_ms=1.0 request_id=r-1\n"
    )


def test_level_says_which_requests_are_logged() -> None:
    assert access(logging.INFO, LOG_LEVEL="info").is_on
    assert not access(logging.DEBUG, LOG_LEVEL="info").is_on
    assert access(logging.DEBUG, LOG_LEVEL="debug").is_on
    assert not access(logging.INFO, LOG_LEVEL="warning").is_on


async def test_lines_about_requests_are_written_together_soon(capsys: pytest.CaptureFixture[str]) -> None:
    log = access()
    for _ in range(3):
        log.write(asked(), 200, 1, 0.001)
    assert capsys.readouterr().out == ""
    deadline = asyncio.get_running_loop().time() + 10
    out = ""
    while not out and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.001)
        out = capsys.readouterr().out
    assert out.count("\n") == 3


async def test_a_failure_is_reported_below_the_requests_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    access().write(asked(), 200, 1, 0.001)
    logging.getLogger("bookinfo.test").error("failed")
    messages = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert messages == ["request", "failed"]


async def test_nothing_is_lost_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    access().write(asked(), 200, 1, 0.001)
    logging.getLogger().handlers[0].flush()
    assert json.loads(capsys.readouterr().out)["message"] == "request"


async def test_many_lines_do_not_pile_up(capsys: pytest.CaptureFixture[str]) -> None:
    log = access()
    while len(logs.OUTPUT.gathered) > 0 or not capsys.readouterr().out:
        log.write(asked("/" + "x" * 1000), 200, 1, 0.001)
        assert len(logs.OUTPUT.gathered) < 2 * logs.GATHER_BYTES


def test_a_full_file_is_continued_in_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_LIMIT_BYTES", 400)
    configure(LOG_DIR=str(tmp_path))
    for number in range(12):
        logging.getLogger("bookinfo.test").info("line %d", number)
    kept, older = (tmp_path / "ratings.log").read_text(), (tmp_path / "ratings.log.1").read_text()
    assert max(len(kept), len(older)) <= 400
    assert json.loads(kept.splitlines()[-1])["message"] == "line 11"
    assert {path.name for path in tmp_path.iterdir()} == {"ratings.log", "ratings.log.1"}


def test_lines_that_cannot_be_written_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def write(self, lines: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            """Nothing is open."""

    configure()
    logs.OUTPUT.file = Broken()  # type: ignore[assignment]
    logging.getLogger("bookinfo.test").info("kept")
    assert "1 log lines are lost: [Errno 28] No space left on device" in capsys.readouterr().err


def test_lines_of_other_threads_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    configure()

    async def serve() -> None:
        log = access()
        for _ in range(300):
            log.write(asked(), 200, 1, 0.001)
            await asyncio.sleep(0)

    def shout() -> None:
        for _ in range(300):
            logging.getLogger("bookinfo.test").info("from a thread")

    threads = [threading.Thread(target=shout) for _ in range(2)]
    for thread in threads:
        thread.start()
    asyncio.run(serve())
    for thread in threads:
        thread.join()
    logs.OUTPUT.flush()
    messages = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert (messages.count("request"), messages.count("from a thread")) == (300, 600)

"""
Logs: one JSON object a line on stdout (or plain text for people), and the same in a file when LOG_DIR is set.

Every line written while a request is served carries its trace id, so that a log search and a trace search meet.

The lines about requests are many and alike, so they do not go through `logging`: they are gathered for `GATHER_S` and
written together. Any other line is written at once, after those that were gathered before it, so nothing is missing
above the report of a failure.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from bookinfo.service import settings as service_settings

if TYPE_CHECKING:
    from bookinfo.service.requests import Request

ACCESS: Final = logging.getLogger("bookinfo.access")
"""Its level says which requests are logged; it writes nothing itself."""

TRACE_ID: Final[ContextVar[str | None]] = ContextVar("trace_id", default=None)
"""The trace of the request that the running task serves."""

FIELDS: Final = "fields"
"""Key for `extra={FIELDS: {...}}`: a mapping of further JSON members."""

FILE_LIMIT_BYTES: Final = 10 * 1024 * 1024

GATHER_S: Final = 0.005
"""How long a line about a request may wait for others to be written with."""
GATHER_BYTES: Final = 64 * 1024
"""How many bytes of them may wait."""


class LogFile:
    """A file that is continued in a new one when it is full; the one before is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def write(self, lines: bytes) -> None:
        if self._file.tell() + len(lines) > FILE_LIMIT_BYTES:
            self._file.close()
            os.replace(self._path, f"{self._path}.1")
            self._file = self._path.open("ab", buffering=0)
        self._file.write(lines)

    def close(self) -> None:
        self._file.close()


class Output:
    """Where lines go: stdout, and a file if there is one. `lock` is held by whoever uses `gathered`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # libraries log from threads of their own
        self.gathered = bytearray()
        """Whole lines that wait to be written."""
        self.file: LogFile | None = None
        self._scheduled_on: asyncio.AbstractEventLoop | None = None

    def flush_soon(self) -> None:
        """See to it that what is gathered is written in `GATHER_S`; at once if that is much."""
        loop = asyncio.get_running_loop()
        if len(self.gathered) > GATHER_BYTES:
            self.flush()
        elif self._scheduled_on is not loop:
            self._scheduled_on = loop
            loop.call_later(GATHER_S, self._flush_scheduled)

    def _flush_scheduled(self) -> None:
        self._scheduled_on = None
        self.flush()

    def flush(self) -> None:
        """Write what is gathered. What cannot be written is lost, and stderr says so."""
        with self.lock:
            lines = bytes(self.gathered)
            self.gathered.clear()
            if lines:
                self._write(lines)

    def _write(self, lines: bytes) -> None:
        try:
            stdout: BinaryIO = sys.stdout.buffer
            stdout.write(lines)
            stdout.flush()
            if self.file is not None:
                self.file.write(lines)
        except (OSError, ValueError) as error:  # ValueError: closed
            sys.stderr.write(f"bookinfo: {lines.count(10)} log lines are lost: {error}\n")


OUTPUT: Final = Output()


class OutputHandler(logging.Handler):
    """Writes each record at once."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            with OUTPUT.lock:
                OUTPUT.gathered += line
                OUTPUT.flush()
        except Exception:  # as all handlers do: a record that cannot be formatted is reported, not raised
            self.handleError(record)

    def flush(self) -> None:
        """Write what is gathered; `logging` calls this at the end of the process."""
        OUTPUT.flush()

    def close(self) -> None:
        OUTPUT.flush()
        if OUTPUT.file is not None:
            OUTPUT.file.close()
            OUTPUT.file = None
        super().close()


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time, level, service, version, pod, message, trace_id, further fields, error."""

    def __init__(self, settings: service_settings.ServiceSettings) -> None:
        super().__init__()
        self._constant = {"service": settings.name, "version": settings.version, "pod": settings.pod}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **self._constant,
            "message": record.getMessage(),
        }
        trace_id = TRACE_ID.get()
        if trace_id is not None:
            line["trace_id"] = trace_id
        line.update(getattr(record, FIELDS, {}))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode("utf-8")


class TextFormatter(logging.Formatter):
    """`12:30:05.120 info  message key=value`, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created, UTC).time().isoformat(timespec="milliseconds")
        fields = dict(getattr(record, FIELDS, {}))
        trace_id = TRACE_ID.get()
        if trace_id is not None:
            fields["trace_id"] = trace_id
        line = f"{clock} {record.levelname.lower():<7} {record.getMessage()}"
        line += "".join(f" {key}={value}" for key, value in fields.items())
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure(settings: service_settings.ServiceSettings) -> None:
    """
    Send everything that is logged in this process to stdout, and to `LOG_DIR/<service>.log` if LOG_DIR is set.

    Raises:
        SettingError: LOG_DIR cannot be written to.
    """
    file = None if settings.log_dir is None else open_log_file(settings.log_dir, settings.name)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    OUTPUT.file = file
    handler = OutputHandler()
    handler.setFormatter(JsonFormatter(settings) if settings.log_format == "json" else TextFormatter())
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())


def open_log_file(directory: Path, name: str) -> LogFile:
    """Open `<directory>/<name>.log` for appending; it and one older file take at most 20 MB."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return LogFile(directory / f"{name}.log")
    except OSError as error:
        expected = f"a directory that can be written to ({error.strerror})"
        raise service_settings.SettingError("LOG_DIR", str(directory), expected) from error


class Served(msgspec.Struct):
    """The line about one request, in the order of its members."""

    time: str
    level: str
    service: str
    version: str
    pod: str
    message: str
    trace_id: str | msgspec.UnsetType
    method: str
    path: str
    status: int
    bytes: int
    duration_ms: float
    request_id: str | msgspec.UnsetType


class AccessLog:
    """Writes a line about each request of one level, in the format of the service, on the loop that serves it."""

    def __init__(self, settings: service_settings.ServiceSettings, level: int) -> None:
        self.is_on = ACCESS.isEnabledFor(level)
        self._constant = (logging.getLevelName(level).lower(), settings.name, settings.version, settings.pod)
        self._is_json = settings.log_format == "json"
        self._encoder = msgspec.json.Encoder()
        self._now_ms = 0
        self._time_text = ""

    def write(self, request: Request, status: int, body_bytes: int, seconds: float) -> None:
        request_id = request.fields.get(b"x-request-id")
        line = Served(
            self._time(),
            *self._constant,
            "request",
            TRACE_ID.get() or msgspec.UNSET,
            request.method,
            request.path,
            status,
            body_bytes,
            int(seconds * 1e6) / 1000,
            msgspec.UNSET if request_id is None else request_id.decode("latin-1"),
        )
        with OUTPUT.lock:
            if self._is_json:
                self._encoder.encode_into(line, OUTPUT.gathered, -1)
                OUTPUT.gathered += b"\n"
            else:
                OUTPUT.gathered += text_line(line)
            OUTPUT.flush_soon()

    def _time(self) -> str:
        """Return the time, which is the same text for all requests of a millisecond."""
        now_ms = int(time.time() * 1000)
        if now_ms != self._now_ms:
            self._now_ms = now_ms
            self._time_text = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
        return self._time_text


def text_line(line: Served) -> bytes:
    """Return the line for people."""
    fields = {
        "method": line.method,
        "path": line.path,
        "status": line.status,
        "bytes": line.bytes,
        "duration_ms": line.duration_ms,
        "request_id": line.request_id,
        "trace_id": line.trace_id,
    }
    clock = line.time[11:23]
    told = "".join(f" {key}={value}" for key, value in fields.items() if value is not msgspec.UNSET)
    return f"{clock} {line.level:<7} {line.message}{told}\n".encode("utf-8", "backslashreplace")

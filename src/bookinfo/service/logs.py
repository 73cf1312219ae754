"""
Logs: one JSON object a line on stdout (or plain text for people), and the same in a file when LOG_DIR is set.

Every line written while a request is served carries its trace id, so that a log search and a trace search meet.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bookinfo.service import settings as service_settings

TRACE_ID: Final[ContextVar[str | None]] = ContextVar("trace_id", default=None)
"""The trace of the request that the running task serves."""

FIELDS: Final = "fields"
"""Key for `extra={FIELDS: {...}}`: a mapping of further JSON members."""

FILE_LIMIT_BYTES: Final = 10 * 1024 * 1024


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
    formatter = JsonFormatter(settings) if settings.log_format == "json" else TextFormatter()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if settings.log_dir is not None:
        handlers.append(open_log_file(settings.log_dir, settings.name))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def open_log_file(directory: Path, name: str) -> logging.Handler:
    """Open `<directory>/<name>.log` for appending; it and one older file take at most 20 MB."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return logging.handlers.RotatingFileHandler(
            directory / f"{name}.log", maxBytes=FILE_LIMIT_BYTES, backupCount=1, encoding="utf-8"
        )
    except OSError as error:
        expected = f"a directory that can be written to ({error.strerror})"
        raise service_settings.SettingError("LOG_DIR", str(directory), expected) from error

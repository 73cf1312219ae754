"""What a container leaves behind about its end: a file of its own, or the last lines of its log."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.sandbox.specification import Mount

_MOST_BYTES: Final = 4096
_MOST_LOG_BYTES: Final = 2048
_MOST_LOG_LINES: Final = 80
_FIELDS_BEFORE_TEXT: Final = 3


class TerminationMessage:
    """The file of one run, which the container sees at its `terminationMessagePath`."""

    def __init__(self, container: JsonObject, file: Path) -> None:
        self._target = container.get("terminationMessagePath") or "/dev/termination-log"
        self._falls_back = container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        self._file = file

    def mount(self) -> Mount:
        """Make the file, empty and for any user to write; give the way it gets into the container."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_bytes(b"")
        self._file.chmod(0o666)
        return Mount(str(self._file), self._target)

    def take(self, *, code: int, log: Path) -> str:
        """Read what was written, 4096 bytes at most, and remove the file; `log` is that of the run."""
        try:
            with self._file.open("rb") as file:
                written = file.read(_MOST_BYTES)
            self._file.unlink()
        except FileNotFoundError:  # the pod's files were removed meanwhile
            return ""
        if not written and self._falls_back and code != 0 and log.exists():
            return last_lines(log.read_text(errors="replace"))
        return written.decode(errors="replace")


def last_lines(log: str) -> str:
    """The end of a log in the format of container runtimes, without times and streams: 80 lines or 2048 bytes."""
    texts = [line.split(" ", _FIELDS_BEFORE_TEXT)[-1] for line in log.splitlines()[-_MOST_LOG_LINES:] if line]
    joined = "".join(f"{text}\n" for text in texts)
    return joined.encode()[-_MOST_LOG_BYTES:].decode(errors="replace")

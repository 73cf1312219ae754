"""
What the lab process tells the command that started it: JSON lines over an inherited pipe.

    {"step": "control plane"}          the step that begins now
    {"serving": true}                  the API server answers and the kubeconfig is there; the rest still starts
    {"ready": true}                    last line: the lab is up
    {"finding": {...}, "exit_code": 3} last line: it is not, and why
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO

import orjson

from bookmesh.base import findings


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the start has begun."""

    name: str


@dataclass(frozen=True, slots=True)
class Serving:
    """The API server answers."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The lab is up."""


class Reporter:
    """The lab's end of the pipe. Nobody may be listening any more: then reports go nowhere."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def step(self, name: str) -> None:
        self._write({"step": name})

    def serving(self) -> None:
        self._write({"serving": True})

    def ready(self) -> None:
        self._write({"ready": True})
        self.close()

    def failed(self, error: findings.BookmeshError) -> None:
        self._write({"finding": asdict(error.finding), "exit_code": error.exit_code})
        self.close()

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _write(self, message: dict[str, object]) -> None:
        if self._handle < 0:
            return
        try:
            os.write(self._handle, orjson.dumps(message) + b"\n")
        except BrokenPipeError:
            self.close()


def read(pipe: IO[bytes]) -> Iterator[Step | Serving | Ready]:
    """
    Yield what the lab reports, until it is ready or the pipe ends.

    Raises:
        BookmeshError: the lab reported why it cannot start.
    """
    for line in pipe:
        message = orjson.loads(line)
        if "step" in message:
            yield Step(message["step"])
        elif "serving" in message:
            yield Serving()
        elif "ready" in message:
            yield Ready()
            return
        else:
            raw = message["finding"]
            subject = findings.ObjectRef(**raw.pop("subject")) if raw.get("subject") else None
            raw.pop("subject", None)
            raise findings.BookmeshError(
                findings.Finding(**raw, subject=subject), exit_code=message["exit_code"]
            )

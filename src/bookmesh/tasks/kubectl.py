"""kubectl as a subprocess: the same tool on a lab and on a real cluster."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_FORWARDED_WITHIN_S = 10.0
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


class ClusterError(Exception):
    """The cluster, or kubectl, did not do what it was told; the message is for people."""


@dataclass(frozen=True, slots=True)
class Done:
    """A finished command."""

    exit: int
    stdout: str
    stderr: str
    took_s: float

    @property
    def output(self) -> str:
        """Both streams, as a terminal shows them."""
        return "\n".join(part.rstrip("\n") for part in (self.stdout, self.stderr) if part.strip())


@dataclass(frozen=True, slots=True)
class Kubectl:
    """
    One cluster.

    `environment` goes on top of this process's (KUBECONFIG, KUBECACHEDIR); `context` "" is the current one.
    """

    program: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    context: str = ""

    def run(
        self, *arguments: str, stdin: str | None = None, timeout_s: float = 60.0, is_shielded: bool = False
    ) -> Done:
        """
        Run to the end; a command that takes longer than `timeout_s` is ended and has exit code 124.

        Args:
            is_shielded: Ctrl-C in a terminal does not reach the command.
        """
        began = time.monotonic()
        try:
            done = subprocess.run(
                self._command(arguments),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                errors="replace",
                env=os.environ | self.environment,
                timeout=timeout_s,
                check=False,
                process_group=0 if is_shielded else None,
            )
        except subprocess.TimeoutExpired:
            took_s = time.monotonic() - began
            return Done(124, "", f"kubectl {' '.join(arguments)}: not done within {timeout_s:g} s", took_s)
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def must(self, *arguments: str, stdin: str | None = None) -> Done:
        """
        Run to the end.

        Raises:
            ClusterError: the command failed; kubectl's words.
        """
        done = self.run(*arguments, stdin=stdin)
        if done.exit:
            raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done

    @contextlib.contextmanager
    def forwarding(self, target: str, port: int, *, namespace: str) -> Iterator[int]:
        """
        Forward a free port of this machine to a pod's port.

        Raises:
            ClusterError: the connection was not there in time.
        """
        command = self._command(["port-forward", "-n", namespace, target, f":{port}"])
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | self.environment,
        ) as process:
            lines: queue.SimpleQueue[str] = queue.SimpleQueue()
            reader = threading.Thread(target=_pass_on, args=(process, lines), daemon=True)
            reader.start()
            try:
                yield _local_port(lines, target)
            finally:
                process.terminate()
                reader.join()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        context = ["--context", self.context] if self.context else []
        return [str(self.program), *context, *arguments]


def _pass_on(process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put("")


def _local_port(lines: queue.SimpleQueue[str], target: str) -> int:
    said = ""
    try:
        while line := lines.get(timeout=_FORWARDED_WITHIN_S):
            said += line
            if match := _FORWARDING.search(line):
                return int(match[1])
    except queue.Empty:
        said += f" (no more within {_FORWARDED_WITHIN_S:g} s)"
    raise ClusterError(f"kubectl port-forward {target}: no connection; it said: {said.strip()}")

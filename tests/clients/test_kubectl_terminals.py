"""People at a terminal, and programs at a pipe, in front of a container's own process; pods really run here."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import labs

from bookmesh.pytest_plugin import KubernetesApi

IMAGE = "--image=curlimages/curl"
TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "spdy"])


class Kubectl:
    """One kubectl and the namespace it works in."""

    def __init__(self, binary: Path, api: KubernetesApi, transport: str = "websocket") -> None:
        self.binary = binary
        self.websockets = "true" if transport == "websocket" else "false"
        self.environment = (
            os.environ | api.environment | {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": self.websockets}
        )

    def run(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = [self.binary, *arguments]
        return labs.run(command, env=self.environment, stdin=stdin, check=check)

    @contextlib.contextmanager
    def at_terminal(self, *arguments: str) -> Iterator[Terminal]:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
        process = subprocess.Popen(
            [self.binary, *arguments],
            env=self.environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        try:
            yield Terminal(master, process)
        finally:
            process.kill()
            process.wait()
            os.close(master)


class Terminal:
    """A terminal with a kubectl in it."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self._process = master, process
        self._shown = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def until(self, text: str, *, within_s: float = 60) -> str:
        """Wait until something is shown; gives what was shown up to it."""
        deadline = time.monotonic() + within_s
        while text not in self._shown:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} is not in {self._shown!r}"
            if select.select([self._master], [], [], left)[0]:
                self._shown += self._read()
        shown, _, self._shown = self._shown.partition(text)
        return shown + text

    def end(self) -> tuple[int, str]:
        """Wait for kubectl's end: its exit code, and all that was still shown."""
        while chunk := self._read():
            self._shown += chunk
        return self._process.wait(60), self._shown

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.killpg(self._process.pid, signal.SIGWINCH)  # no terminal tells who does not have it as its own

    def _read(self) -> str:
        try:
            return os.read(self._master, 65_536).decode(errors="replace")
        except OSError:  # nobody has the other side open any more
            return ""


@pytest.fixture
def kubectl(
    kubernetes_namespace: KubernetesApi, kubectl_binary: Path, request: pytest.FixtureRequest
) -> Kubectl:
    given = getattr(request.node, "callspec", None)
    transport = given.params.get("transport", "websocket") if given else "websocket"
    return Kubectl(kubectl_binary, kubernetes_namespace, transport)


def shell(kubectl: Kubectl, *arguments: str) -> None:
    """A pod whose container is a shell at a terminal."""
    kubectl.run("run", "shell", IMAGE, "-it", "--attach=false", *arguments, "--command", "--", "sh")
    kubectl.run("wait", "--for=condition=Ready", "pod/shell", "--timeout=60s")


def has_logged(kubectl: Kubectl, text: str) -> bool:
    return text in kubectl.run("logs", "sink").stdout


@pytest.mark.covers("kubectl", "run -it --rm")
@TRANSPORTS
def test_a_pod_for_as_long_as_its_shell(kubectl: Kubectl, transport: str) -> None:
    arguments = ("run", "it", "-it", "--rm", "--restart=Never", IMAGE, "--command", "--", "sh")
    with kubectl.at_terminal(*arguments) as terminal:
        terminal.until("If you don't see a command prompt, try pressing enter.")
        terminal.type("\n")
        terminal.until("# ")
        terminal.type("stty size; echo $TERM\n")
        assert "33 111\r\nxterm\r\n" in terminal.until("xterm\r\n")
        terminal.resize(22, 77)
        terminal.type("until stty size | grep 77; do sleep 0.1; done\n")
        terminal.until("22 77\r\n")
        terminal.type("exit 3\n")
        code, shown = terminal.end()
    assert code == 3
    assert 'pod "it" deleted' in shown
    assert "NotFound" in kubectl.run("get", "pod", "it", check=False).stderr


@pytest.mark.covers("kubectl", "run -i --rm")
@TRANSPORTS
def test_a_pod_that_reads_a_pipe_to_its_end(kubectl: Kubectl, transport: str) -> None:
    common = ("--rm", "-i", "--restart=Never", IMAGE)
    data = os.urandom(150_000).hex()
    done = kubectl.run("run", "sink", *common, "--quiet", "--command", "--", "cat", stdin=data)
    assert done.stdout == data
    script = "cat; echo trouble >&2; exit 5"
    failed = kubectl.run(
        "run", "bad", *common, "--command", "--", "sh", "-c", script, stdin="hello\n", check=False
    )
    assert (failed.returncode, failed.stdout.splitlines()[0]) == (5, "hello")
    assert "trouble" in failed.stderr


@pytest.mark.covers("kubectl", "attach -it")
@TRANSPORTS
def test_leaving_a_shell_and_coming_back(kubectl: Kubectl, transport: str) -> None:
    shell(kubectl)
    with kubectl.at_terminal("attach", "-it", "shell") as terminal:
        terminal.until("try pressing enter.")
        terminal.type("\n")
        terminal.until("# ")
        terminal.type("word=kept; sh -c 'echo here; exec sleep 1000'\n")
        terminal.until("\nhere\r\n")
        terminal.type("\x03")
        terminal.until("# ")
    with kubectl.at_terminal("attach", "-it", "shell") as terminal:
        terminal.until("try pressing enter.")
        terminal.type("\n")
        terminal.until("# ")
        terminal.type("echo still $word\n")
        terminal.until("\nstill kept\r\n")
    assert "still kept" in kubectl.run("logs", "shell").stdout
    path = "jsonpath={.status.containerStatuses[0].restartCount}"
    assert kubectl.run("get", "pod", "shell", "-o", path).stdout == "0"


@pytest.mark.covers("kubectl", "attach -i")
def test_a_container_that_keeps_its_input_open(kubectl: Kubectl) -> None:
    kubectl.run(
        *("run", "sink", IMAGE, "-i", "--attach=false", "--leave-stdin-open", "--command", "--"),
        *("sh", "-c", "while read word; do echo got $word; done"),
    )
    kubectl.run("wait", "--for=condition=Ready", "pod/sink", "--timeout=60s")
    for word in ("one", "two"):
        kubectl.run("attach", "-i", "sink", stdin=f"{word}\n")
        labs.wait_until(functools.partial(has_logged, kubectl, f"got {word}"))


def test_a_terminal_for_a_container_without_one_is_refused_by_the_client(kubectl: Kubectl) -> None:
    kubectl.run("run", "plain", IMAGE, "--command", "--", "sh", "-c", "sleep 1000")
    kubectl.run("wait", "--for=condition=Ready", "pod/plain", "--timeout=60s")
    with kubectl.at_terminal("attach", "-it", "plain") as terminal:
        terminal.until("Unable to use a TTY - container plain did not allocate one")

"""A cluster that does as little as a test needs: it notes commands, remembers what was applied, answers as told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import yaml

from bookmesh.tasks.kubectl import ClusterError, Done


class FakeKubectl:
    """`answer` maps (arguments, standard input) to a finished command, or to None for what every cluster does."""

    def __init__(self, answer: Callable[[tuple[str, ...], str], Done | None] = lambda _a, _s: None) -> None:
        self.answer = answer
        self.commands: list[tuple[str, ...]] = []
        self.objects: set[tuple[str, str]] = set()
        self.namespaces: list[str] = []
        self._lock = threading.Lock()

    def run(
        self, *arguments: str, stdin: str | None = None, timeout_s: float = 60.0, is_shielded: bool = False
    ) -> Done:
        with self._lock:
            self.commands.append(arguments)
            return self.answer(arguments, stdin or "") or self._behave(arguments, stdin or "")

    def must(self, *arguments: str, stdin: str | None = None) -> Done:
        done = self.run(*arguments, stdin=stdin)
        if done.exit:
            raise ClusterError(done.stderr)
        return done

    @contextlib.contextmanager
    def forwarding(self, target: str, port: int, *, namespace: str) -> Iterator[int]:
        raise ClusterError(f"no {target} in {namespace}")
        yield port

    def _behave(self, arguments: tuple[str, ...], stdin: str) -> Done:
        documents = list(yaml.safe_load_all(stdin)) if arguments[0] in ("apply", "create") else []
        for document in documents:
            if document["kind"] == "Namespace" and arguments[0] == "create":
                self.namespaces.append(document["metadata"]["name"])
            self.objects.add((document["kind"], document["metadata"]["name"]))
        if arguments[:2] == ("delete", "namespace"):
            self.objects.clear()
        return said("")


def said(stdout: str, exit: int = 0, stderr: str = "") -> Done:
    return Done(exit, stdout, stderr, 0.0)

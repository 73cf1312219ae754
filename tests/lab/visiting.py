"""People who come at a constant rate, each on a connection of its own, and what they met with."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.lab import labs

WORKERS = 8


@dataclass
class Visitors:
    """
    New visitors at `rate` a second; `failures` says what went wrong, and how long after the first of them.

    `kind_of` names the kind of a good answer, for `kinds`.
    """

    url: str
    rate: float
    host: str
    kind_of: Callable[[str], str] = lambda _text: ""
    asked: int = 0
    failures: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._begun_s = self._next_s = time.monotonic()
        self._threads = [threading.Thread(target=self._come) for _ in range(WORKERS)]

    @contextlib.contextmanager
    def coming(self) -> Iterator[None]:
        self._begun_s = time.monotonic()
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join()

    def wait_for_more(self, number: int = 2 * WORKERS) -> None:
        """Return when as many more have come."""
        asked = self.asked
        labs.wait_until(lambda: self.asked >= asked + number, within_s=60, what="more visitors")

    def wait_for_kinds(self, *kinds: str) -> None:
        """Return when a second's good answers were of these kinds, and of no other."""

        def only_these() -> bool:
            before = self.kinds.copy()
            self.wait_for_more(int(self.rate))
            return (self.kinds - before).keys() == set(kinds)

        labs.wait_until(only_these, within_s=60, what=f"answers of {', '.join(kinds)}")

    def _turn(self) -> float:
        """The time of the next visit; who is late by more than a second does not come all at once."""
        with self._lock:
            turn_s = max(self._next_s, time.monotonic() - 1.0)
            self._next_s = turn_s + 1 / self.rate
            return turn_s

    def _come(self) -> None:
        while not self._stopping.wait(max(0.0, self._turn() - time.monotonic())):
            problem, text = self._ask()
            with self._lock:
                self.asked += 1
                if problem:
                    self.failures.append(f"after {time.monotonic() - self._begun_s:.2f} s: {problem}")
                else:
                    self.kinds[self.kind_of(text)] += 1

    def _ask(self) -> tuple[str, str]:
        """Return what went wrong, or "" and the answer's text."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=15)
        try:
            connection.request("GET", parts.path, headers={"Host": self.host})
            response = connection.getresponse()
            text = response.read().decode()
            return ("" if response.status == http.client.OK else f"{response.status} {text[:100]!r}"), text
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}", ""
        finally:
            connection.close()

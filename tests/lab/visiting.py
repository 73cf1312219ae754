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
    _look: Counter[str] = field(default_factory=Counter)

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

    def look(self, number: int) -> Counter[str]:
        """Count the kinds of so many good answers, all to visitors who come from now on."""
        with self._lock:
            self._look = look = Counter()
        labs.wait_until(lambda: look.total() >= number, within_s=60, what="more visitors")
        with self._lock:
            return look.copy()

    def _turn(self) -> float:
        """The time of the next visit; who is late by more than a second does not come all at once."""
        with self._lock:
            turn_s = max(self._next_s, time.monotonic() - 1.0)
            self._next_s = turn_s + 1 / self.rate
            return turn_s

    def _come(self) -> None:
        while not self._stopping.wait(max(0.0, self._turn() - time.monotonic())):
            look = self._look
            problem, text = self._ask()
            with self._lock:
                self.asked += 1
                if problem:
                    self.failures.append(f"after {time.monotonic() - self._begun_s:.2f} s: {problem}")
                else:
                    self.kinds[self.kind_of(text)] += 1
                    look[self.kind_of(text)] += 1

    def _ask(self) -> tuple[str, str]:
        """Return what went wrong, or "" and the answer's text."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=15)
        try:
            connection.request("GET", parts.path, headers={"Host": self.host})
            response = connection.getresponse()
            text = response.read().decode()
            return ("" if response.status == http.client.OK else f"{response.status} {text[:300]!r}"), text
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}", ""
        finally:
            connection.close()

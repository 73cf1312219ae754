"""
Work in steps: a generator that yields wherever somebody else may have a turn, and returns what the work comes to.

Whoever has an event loop to share takes the steps one by one; whoever has not asks for the result.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar, cast

T = TypeVar("T")
Steps = Generator[None, None, T]


def result_of(work: Steps[T]) -> T:
    """Take all steps at once."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(T, end.value)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut items into lists of `size`, the last one shorter; none when there are no items."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch

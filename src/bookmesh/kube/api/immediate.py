"""
Coroutines that wait for nobody, called as plain functions.

Only admission webhooks make a write wait. Who writes before there are any (the first objects of a cluster) or where
there are none can have the result at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

Owner = TypeVar("Owner")
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def at_once(
    method: Callable[Concatenate[Owner, Parameters], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Owner, Parameters], Result]:
    """
    Make a method that runs the coroutine of `method` to its end in one step.

    The new method raises RuntimeError when the coroutine has to wait after all; it is cancelled then.
    """

    @functools.wraps(method)
    def run(owner: Owner, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        coroutine = method(owner, *args, **kwargs)
        try:
            coroutine.send(None)
        except StopIteration as end:
            result: Result = end.value
            return result
        coroutine.close()
        raise RuntimeError(f"{method.__name__} has to wait for a webhook; await it")

    return run

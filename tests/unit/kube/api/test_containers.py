"""Choosing a container."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import containers


def _pod(*names: str, initial: tuple[str, ...] = ()) -> JsonObject:
    return {
        "metadata": {"name": "web"},
        "spec": {
            "containers": [{"name": name} for name in names],
            "initContainers": [{"name": name} for name in initial],
        },
    }


def test_named_or_only_one() -> None:
    assert containers.choose(_pod("a"), "") == "a"
    assert containers.choose(_pod("a", initial=("i",)), "i") == "i"


def test_several_or_unknown() -> None:
    with pytest.raises(ApiError, match=r"choose one of: \[a b\] or one of the init containers: \[i\]"):
        containers.choose(_pod("a", "b", initial=("i",)), "")
    with pytest.raises(ApiError, match="container x is not valid for pod web"):
        containers.choose(_pod("a"), "x")

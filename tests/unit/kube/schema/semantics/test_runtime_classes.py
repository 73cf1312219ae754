"""Runtime classes: what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Causes = Callable[..., list[tuple[str, str]]]


def runtime_class(handler: str) -> dict[str, Any]:
    named = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "fast"}}
    return {**named, "handler": handler}


def test_a_handler_is_a_label_and_stays(causes_of: Causes) -> None:
    assert causes_of(runtime_class("runc")) == []
    assert causes_of(runtime_class("")) == [("handler", "Required value")]
    ((field, why),) = causes_of(runtime_class("Run C"))
    assert field == "handler"
    assert "a lowercase RFC 1123 label must consist of" in why
    assert causes_of(runtime_class("runc"), runtime_class("runsc")) == [
        ("handler", 'Invalid value: "runc": field is immutable')
    ]

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.gateway_api import namespaces
from bookmesh.mesh.model.gateway_api import gateways

KNOWN = {"default": {"team": "a"}, "other": {"team": "b", "stage": "test"}, "bare": {}}


def allowed(**routes: Any) -> tuple[str, ...]:
    raw = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": routes}}
    return namespaces.allowed_by(msgspec.convert(raw, gateways.Listener), "default", KNOWN)


def test_without_a_word_the_own_namespace_may_attach() -> None:
    listener = gateways.Listener(name="http", port=80, protocol="HTTP")
    assert namespaces.allowed_by(listener, "default", KNOWN) == ("default",)


def test_all_is_one_word() -> None:
    assert allowed(**{"from": "All"}) == ("*",)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"matchLabels": {"team": "b"}}, ("other",)),
        ({"matchLabels": {"kubernetes.io/metadata.name": "bare"}}, ("bare",)),
        (
            {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]},
            ("default", "other"),
        ),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, ("bare", "other")),
        ({"matchExpressions": [{"key": "stage", "operator": "Exists"}]}, ("other",)),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, ("bare",)),
        (
            {
                "matchLabels": {"team": "b"},
                "matchExpressions": [{"key": "stage", "operator": "DoesNotExist"}],
            },
            (),
        ),
        ({}, ("bare", "default", "other")),
    ],
)
def test_selectors(selector: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert allowed(**{"from": "Selector", "selector": selector}) == expected

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import selectors

LABELS = {"app": "web", "tier": "2"}


@pytest.mark.parametrize(
    ("selector", "is_match"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "other": "x"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "other", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "DoesNotExist"}]}, True),
        (
            {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
            False,
        ),
        ({"matchExpressions": [{"key": "tier", "operator": "Gt", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Lt", "values": ["2"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Gt", "values": ["1"]}]}, False),
    ],
)
def test_selector_matches_labels(selector: JsonObject | None, is_match: bool) -> None:
    assert selectors.matches(selector, LABELS) is is_match


def test_unknown_operator_is_an_error() -> None:
    with pytest.raises(ValueError, match="Near"):
        selectors.matches({"matchExpressions": [{"key": "app", "operator": "Near"}]}, LABELS)

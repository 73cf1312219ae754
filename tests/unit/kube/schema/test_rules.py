"""The table of rules; what they say is tested under `semantics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bookmesh.kube.schema import kinds, rules, schemas


def test_custom_kinds_have_the_rules_of_metadata_only(
    widgets: tuple[schemas.Schemas, kinds.Kind], widget: Callable[..., dict[str, Any]]
) -> None:
    obj = widget()
    assert rules.check(widgets[1], obj, None) == []
    obj["metadata"]["name"] = "Not A Name"
    assert [cause.field for cause in rules.check(widgets[1], obj, None)] == ["metadata.name"]


def test_a_custom_kind_named_like_a_built_in_one_is_not_taken_for_it() -> None:
    service = kinds.Kind(
        "example.com", "v1", "Service", "services", "service", namespaced=True, is_custom=True
    )
    assert rules.check(service, {"metadata": {"name": "1.a"}}, None) == []


def test_causes_of_metadata_come_first(kind_of: Callable[[str], kinds.Kind], pod: dict[str, Any]) -> None:
    pod["metadata"]["name"] = ""
    pod["spec"]["containers"] = []
    found = rules.check(kind_of("Pod"), pod, None)
    assert [cause.field for cause in found] == ["metadata.name", "spec.containers"]

"""Label and field selectors."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import selectors


def _obj(**labels: str) -> JsonObject:
    return {"metadata": {"name": "a", "namespace": "n", "labels": labels}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("selector", "matching", "other"),
    [
        ("app=web", {"app": "web"}, {"app": "db"}),
        ("app==web,tier=x", {"app": "web", "tier": "x"}, {"app": "web"}),
        ("app!=web", {}, {"app": "web"}),
        ("app", {"app": ""}, {}),
        ("!app", {}, {"app": "web"}),
        ("app in (web, db)", {"app": "db"}, {"app": "mail"}),
        ("app notin (web),x", {"x": "1"}, {"x": "1", "app": "web"}),
        ("example.com/name=web", {"example.com/name": "web"}, {}),
        ("weight > 3", {"weight": "4"}, {"weight": "3"}),
        ("weight<3", {"weight": "2"}, {}),
        ("app=", {"app": ""}, {"app": "web"}),
    ],
)
def test_label_selector(selector: str, matching: dict[str, str], other: dict[str, str]) -> None:
    matches = selectors.parse(selector, "", kind="Pod")
    assert matches
    assert matches(_obj(**matching))
    assert not matches(_obj(**other))


def test_nothing_asked_for_selects_everything() -> None:
    assert selectors.parse(" ", "", kind="Pod") is None


@pytest.mark.parametrize("selector", ["app in", "=web", "app=web=db", "a b"])
def test_label_selector_that_is_not_understood(selector: str) -> None:
    with pytest.raises(ApiError, match="unable to parse requirement"):
        selectors.parse(selector, "", kind="Pod")


def test_both_selectors_must_match() -> None:
    matches = selectors.parse("app=web", "status.phase=Running,metadata.name!=b", kind="Pod")
    assert matches
    assert matches(_obj(app="web"))
    assert not matches(_obj(app="db"))


def test_field_that_is_absent_compares_as_empty_or_false() -> None:
    matches = selectors.parse("", "spec.nodeName=,spec.hostNetwork=false", kind="Pod")
    assert matches
    assert matches(_obj())


def test_events_are_selected_by_their_subject_and_source() -> None:
    matches = selectors.parse("", "involvedObject.uid=7,source=kubelet", kind="Event")
    assert matches
    event = {"metadata": {"name": "e"}, "involvedObject": {"uid": "7"}, "source": {"component": "kubelet"}}
    assert matches(event)


def test_field_that_cannot_be_selected_by() -> None:
    with pytest.raises(ApiError, match="field label not supported") as refusal:
        selectors.parse("", "spec.image=x", kind="Pod")
    assert refusal.value.code == 400
    with pytest.raises(ApiError, match="invalid field selector"):
        selectors.parse("", "nonsense", kind="Pod")


@pytest.mark.parametrize(
    ("kind", "is_custom", "message"),
    [
        ("Pod", False, "field label not supported: spec.image"),
        ("Route", True, "field label not supported: spec.image"),
        (
            "ConfigMap",
            False,
            '"spec.image" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_fields_that_nobody_can_select_by(kind: str, is_custom: bool, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        selectors.parse("", "spec.image=x", kind=kind, is_custom=is_custom)
    assert (refusal.value.code, refusal.value.message) == (400, message)

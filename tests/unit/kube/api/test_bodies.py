"""What a body must be, and for which place."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import bodies, verbs
from bookmesh.kube.schema import kinds


@pytest.fixture
def config_map(over: verbs.Verbs) -> kinds.Kind:
    return over.kind_of(kubernetes.CONFIG_MAPS)


def test_what_is_read_is_a_copy_with_kind_and_metadata(config_map: kinds.Kind) -> None:
    body: JsonObject = {"data": {"a": "b"}}
    read = bodies.read(config_map, body)
    assert read == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"a": "b"}}
    assert read["data"] is not body["data"]
    assert body == {"data": {"a": "b"}}


@pytest.mark.parametrize(
    "body",
    [None, [], {"kind": "Secret"}, {"apiVersion": "apps/v1"}, {"metadata": "x"}, {"data": {"a": 1 << 70}}],
)
def test_what_cannot_be_read_is_a_bad_request(config_map: kinds.Kind, body: Any) -> None:
    with pytest.raises(ApiError) as refusal:
        bodies.read(config_map, body)
    assert refusal.value.code == 400


@pytest.mark.parametrize(("own", "asked", "found"), [("", "a", "a"), ("a", "", "a"), ("a", "a", "a")])
def test_the_namespace_is_that_of_the_request_or_the_body(
    config_map: kinds.Kind, own: str, asked: str, found: str
) -> None:
    assert bodies.namespace_for(config_map, {"metadata": {"namespace": own}}, asked) == found


@pytest.mark.parametrize(("own", "asked"), [("a", "b"), ("", "")])
def test_two_namespaces_or_none_are_refused(config_map: kinds.Kind, own: str, asked: str) -> None:
    with pytest.raises(ApiError, match="namespace"):
        bodies.namespace_for(config_map, {"metadata": {"namespace": own}}, asked)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"name": "b"}, 400), ({"name": ""}, 400), ({"uid": "other"}, 409), ({"resourceVersion": "1"}, 409)],
)
def test_a_body_about_another_object_or_state_is_refused(
    over: verbs.Verbs, config_map: kinds.Kind, fields: dict[str, str], code: int
) -> None:
    over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
    stored = over.get(kubernetes.CONFIG_MAPS, "a", "default")
    bodies.check_identity(config_map, {"metadata": {"name": "a"}}, stored)
    with pytest.raises(ApiError) as refusal:
        bodies.check_identity(config_map, {"metadata": {"name": "a", **fields}}, stored)
    assert refusal.value.code == code

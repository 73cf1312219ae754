"""Bodies: JSON, YAML, patches; and what is wrong with them."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import decoding


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": [1]}', "application/json"),
        (b'{"a": [1]}', ""),
        (b"a: [1]", "application/yaml; charset=utf-8"),
    ],
)
def test_same_object_in_json_and_yaml(body: bytes, content_type: str) -> None:
    assert decoding.decode_body(body, content_type) == {"a": [1]}


def test_yaml_that_json_cannot_say() -> None:
    assert decoding.decode_body(b"1: 2026-01-01", "application/yaml") == {"1": "2026-01-01"}


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", 400),
        (b"a: [", "application/yaml", 400),
        (b"\xff\xfe\xfd", "application/yaml", 400),
        (b"nonsense", "application/vnd.kubernetes.protobuf", 400),
        (b"<a/>", "text/xml", 415),
        (b"", "application/json", 400),
    ],
)
def test_refusals(body: bytes, content_type: str, code: int) -> None:
    with pytest.raises(ApiError) as refusal:
        decoding.decode_body(body, content_type)
    assert refusal.value.code == code


def test_options_may_be_left_out() -> None:
    assert decoding.decode_options(b"", "") == {}
    assert decoding.decode_options(b'{"gracePeriodSeconds": 1}', "") == {"gracePeriodSeconds": 1}
    with pytest.raises(ApiError):
        decoding.decode_options(b"[]", "")


def test_patch_types() -> None:
    assert decoding.decode_patch(b"[]", "application/json-patch+json") == ("json", [])
    assert decoding.decode_patch(b"{}", "application/merge-patch+json") == ("merge", {})
    assert decoding.decode_patch(b"{}", "application/strategic-merge-patch+json; x=y") == ("strategic", {})


def test_an_applied_configuration_is_yaml_or_json() -> None:
    assert decoding.is_apply("application/apply-patch+yaml; charset=utf-8")
    assert decoding.decode_configuration(b"kind: Pod\nspec: {a: 1}") == {"kind": "Pod", "spec": {"a": 1}}
    assert decoding.decode_configuration(b' {"kind": "Pod"}') == {"kind": "Pod"}
    assert decoding.decode_configuration(b"{kind: Pod}") == {"kind": "Pod"}
    with pytest.raises(ApiError, match="not valid YAML"):
        decoding.decode_configuration(b"{kind: [")


def test_a_patch_has_a_type_of_its_own() -> None:
    with pytest.raises(ApiError) as refusal:
        decoding.decode_patch(b"{}", "application/json")
    assert (refusal.value.code, refusal.value.reason) == (415, "UnsupportedMediaType")

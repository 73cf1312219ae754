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


def test_server_side_apply_is_refused_with_advice() -> None:
    with pytest.raises(ApiError, match="use client-side apply") as refusal:
        decoding.decode_patch(b"{}", "application/apply-patch+yaml")
    assert (refusal.value.code, refusal.value.reason) == (415, "UnsupportedMediaType")
    with pytest.raises(ApiError):
        decoding.decode_patch(b"{}", "application/json")

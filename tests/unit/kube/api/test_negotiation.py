"""Accept headers as real clients send them."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import negotiation
from bookmesh.kube.api.negotiation import Representation

KUBECTL_GET = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,"
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Representation()),
        ("*/*", Representation()),
        ("application/json", Representation()),
        (KUBECTL_GET, Representation("table")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Representation("table", "v1beta1")),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Representation("metadata")),
        ("application/vnd.kubernetes.protobuf,application/json", Representation()),
        ("application/yaml", Representation(encoding="yaml")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Representation()),
        ("text/html, */*; q=0.1", Representation()),
    ],
)
def test_first_that_can_be_served(header: str, expected: Representation) -> None:
    assert negotiation.choose(header) == expected


def test_nothing_that_can_be_served() -> None:
    with pytest.raises(ApiError) as refusal:
        negotiation.choose("application/vnd.kubernetes.protobuf")
    assert refusal.value.code == 406

"""What is wrong with requests for certificates."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bookmesh.kube.schema.semantics import certificate_requests

PEM = b"-----BEGIN CERTIFICATE REQUEST-----\nYWJj\n-----END CERTIFICATE REQUEST-----\n"
SPEC: dict[str, Any] = {
    "request": base64.b64encode(PEM).decode(),
    "signerName": "kubernetes.io/kube-apiserver-client",
    "usages": ["client auth"],
}


def fields(spec: dict[str, Any], *conditions: str, old: dict[str, Any] | None = None) -> list[str]:
    status = {"conditions": [{"type": kind} for kind in conditions]}
    found = certificate_requests.check_request({"spec": spec, "status": status}, old)
    return [cause.field for cause in found]


def test_a_good_request() -> None:
    assert fields({**SPEC, "expirationSeconds": 600}, "Approved") == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"request": base64.b64encode(b"no").decode()}, ["spec.request"]),
        ({"usages": []}, ["spec.usages"]),
        ({"usages": ["anything"]}, ["spec.usages[0]"]),
        ({"signerName": ""}, ["spec.signerName"]),
        ({"signerName": "me"}, ["spec.signerName"]),
        ({"signerName": "-/a"}, ["spec.signerName"]),
        ({"expirationSeconds": 599}, ["spec.expirationSeconds"]),
    ],
)
def test_fields_that_cannot_be(changed: dict[str, Any], expected: list[str]) -> None:
    assert fields({**SPEC, **changed}) == expected


def test_what_is_asked_for_stays() -> None:
    assert fields({**SPEC, "usages": ["any"]}, old={"spec": SPEC}) == ["spec"]


def test_a_request_is_approved_or_denied_once() -> None:
    assert fields(SPEC, "Approved", "Denied") == ["status.conditions"]
    assert fields(SPEC, "Approved", "Approved") == ["status.conditions[1].type"]
